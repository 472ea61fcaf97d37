"""Tests the options of a training."""

from pathlib import Path

import pytest

from firstseen.commands.running import run


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
