"""Tests the options of a training."""

from pathlib import Path

import pytest

from firstseen.commands.running import run
from firstseen.commands.train import merge_settings
from tests.firstseen.desk import one_error_line


def test_every_option_of_a_training_arrives(monkeypatch: pytest.MonkeyPatch):
    """Named options change the recipe or the training; `--dimension` is another name of `--latent-dim`."""
    from training import train as training

    received = []

    def remember(options, **_listeners):
        received.append(options)
        return "encoder-1"

    monkeypatch.setattr(training, "train", remember)
    words = (
        "--source a --store s --recipe r --data-dir d --latent-dim 12 --size 20 --channels 1 --distance euclidean "
        "--epochs 3 --patience 2 --batch-size 5 --learning-rate 0.5 --schedule constant --loss mean_absolute_error "
        "--set filters=4 --max-photos 9 --seed 7 --devices GPU:0,GPU:1 --no-mixed-precision --work-dir w --restart "
        "--photo-cache p --log-dir l"
    )
    assert run(["train", *words.split()]) == 0
    assert received[0] == training.TrainOptions(
        source="a",
        store="s",
        recipe="r",
        overrides={
            "dimension": 12,
            "size": 20,
            "channels": 1,
            "distance": "euclidean",
            "epochs": 3,
            "patience": 2,
            "batch_size": 5,
            "learning_rate": 0.5,
            "schedule": "constant",
            "loss": "mean_absolute_error",
            "filters": 4,
        },
        data_dir=Path("d"),
        max_photos=9,
        work_dir=Path("w"),
        photo_cache=Path("p"),
        log_dir=Path("l"),
        restart=True,
        seed=7,
        devices=("GPU:0", "GPU:1"),
        mixed_precision=False,
    )
    assert run(["train", "--source", "a", "--store", "s", "--dimension", "6", "--mixed-precision"]) == 0
    assert received[1] == training.TrainOptions(source="a", store="s", overrides={"dimension": 6}, mixed_precision=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--epochs 3 --set epochs=5", "--epochs 3 and --set epochs=5 both set epochs"),
        ("--latent-dim 8 --set dimension=8", "--latent-dim 8 and --set dimension=8 both set dimension"),
        ("--set filters=4 --set filters=8", "--set filters=4 and --set filters=8 both set filters"),
        ("--set filters", "--set filters has no value"),
    ],
)
def test_a_setting_is_given_once(words: str, message: str, capsys: pytest.CaptureFixture):
    """Neither the last nor the option wins silently."""
    assert run(["train", "--source", "a", "--store", "s", *words.split()]) == 2
    assert message in one_error_line(capsys)


def test_values_become_numbers_and_truth_values():
    """What is neither stays text."""
    given = ["a=1", "b=0.5", "c=true", "d=false", "e=relu", "f=x=y", "g="]
    expected = {"a": 1, "b": 0.5, "c": True, "d": False, "e": "relu", "f": "x=y", "g": ""}
    assert merge_settings(given, {}) == expected
