"""Training end to end on sixteen photos: publishes, resumes, repeats, and fails clearly."""

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from firstseen.commands.epoch_line import EpochLine
from foundation.encoder import load
from foundation.errors import (
    TemporaryError,
    TrainingDivergedError,
    UsageError,
)
from foundation.store.files import Store
from tests.conftest import TINY
from tests.photos import jpeg, scene
from training import recipe
from training import train as training
from training.data.batches import PhotoBatches
from training.data.photo_cache import PhotoCache
from training.data.source import PhotoSource
from training.fitting.checkpoints import State
from training.fitting.display import Display
from training.fitting.work_directory import key_of
from training.objectives import reconstruction
from training.recipe import Recipe
from training.train import TrainOptions, train


class Heard(Display):
    """Keeps (epoch, loss, validation loss) of each epoch, and then does what the test wants done."""

    def __init__(self, then: Callable[[int], object] | None = None):
        self.epochs: list[tuple[int, float, float]] = []
        self.then = then

    @property
    def numbers(self) -> list[int]:
        """The numbers of the epochs."""
        return [epoch for epoch, *_losses in self.epochs]

    def show_epoch(self, epoch: int, loss: float, val_loss: float) -> None:
        """Keeps one epoch."""
        self.epochs.append((epoch, loss, val_loss))
        if self.then:
            self.then(epoch)


def train_and_hear(options: TrainOptions) -> Heard:
    """Trains, and returns what was heard of its epochs."""
    heard = Heard()
    train(options, displays=[heard])
    return heard


def interrupt_after(last: int, options: TrainOptions) -> Heard:
    """Trains until that epoch, is interrupted there, and returns what was heard until then."""

    def interrupt(epoch: int) -> None:
        if epoch == last:
            raise KeyboardInterrupt

    heard = Heard(interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(options, displays=[heard])
    return heard


def test_training_publishes_an_encoder_and_cleans_up(options, tmp_path):
    """The encoder is described by what it was trained on, every epoch is reported, the work directory is empty."""
    heard = Heard()
    encoder_id = train(options(), displays=[heard])
    assert heard.numbers == [1, 2]
    assert np.isfinite(heard.epochs).all()
    spec = load(Store(tmp_path / "store"), encoder_id).spec
    assert encoder_id.startswith("convolutional-")
    assert spec.training["photos"] == spec.training["listed"] == 16
    assert spec.training["filters"] == TINY["filters"]
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("mixed_precision", [False, True])
def test_an_interrupted_training_resumes_to_the_same_encoder(options, fitted, mixed_precision):
    """Weights, optimizer, order of photos and damage continue where they were: nothing shows the interruption."""
    four = options(overrides={"epochs": 4}, mixed_precision=mixed_precision)
    whole = train_and_hear(four).epochs
    resumed = interrupt_after(2, four).epochs + train_and_hear(four).epochs
    assert [epoch[0] for epoch in resumed] == [1, 2, 3, 4]
    np.testing.assert_allclose(resumed, whole, rtol=1e-5)
    assert len(fitted) == 2
    np.testing.assert_allclose(fitted[0], fitted[1], atol=1e-5)


def test_every_epoch_sees_the_photos_in_another_order(options, monkeypatch, fitted):
    """The batches of training know the epoch, those of validation need not."""
    epochs = set()

    class Watched(PhotoBatches):
        def __getitem__(self, batch):
            epochs.add((self.shuffle, self.epoch))
            return super().__getitem__(batch)

    monkeypatch.setattr(reconstruction, "PhotoBatches", Watched)
    train(options())
    assert epochs == {(True, 0), (True, 1), (False, 0)}


def test_a_training_whose_export_failed_only_exports_again(options, monkeypatch, fitted):
    """What took hours is not repeated because the store was full."""

    def fail(*_args, **_options):
        raise TemporaryError("cannot write")

    with monkeypatch.context() as patch:
        patch.setattr(training, "export", fail)
        with pytest.raises(TemporaryError):
            train(options())
    assert train_and_hear(options()).epochs == []
    assert len(fitted) == 1


def test_the_seed_decides(options, fitted):
    """The same seed gives the same encoder, another seed another."""
    for seed in (1, 1, 2):
        train(options(seed=seed, overrides={"epochs": 1}))
    np.testing.assert_allclose(fitted[0], fitted[1], atol=1e-6)
    assert np.abs(fitted[0] - fitted[2]).max() > 0.01


def test_the_best_epoch_is_published_and_patience_ends_the_training(options, tmp_path):
    """A learning rate that spoils later epochs does not spoil the encoder, and they are not waited for."""
    heard = Heard()
    overrides = {"epochs": 30, "patience": 2, "learning_rate": 0.3, "schedule": "constant"}
    encoder_id = train(options(overrides=overrides), displays=[heard])
    best = min(heard.epochs, key=lambda epoch: epoch[2])
    assert len(heard.epochs) == best[0] + 2 < 30
    spec = load(Store(tmp_path / "store"), encoder_id).spec
    assert (spec.training["best_epoch"], spec.training["validation_loss"]) == (best[0], best[2])


def test_mixed_precision_publishes_single_precision(options, tmp_path):
    """Half precision in training leaves no trace in the encoder but its rounding."""
    encoder_id = train(options(mixed_precision=True, overrides={"epochs": 1}))
    encoder = load(Store(tmp_path / "store"), encoder_id)
    vectors = encoder.encode(np.zeros((2, 17, 17, 3), np.uint8))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_a_diverging_training_stops_and_publishes_nothing(options, tmp_path):
    """A loss that is not finite ends in one line with the remedy."""
    overrides = {"learning_rate": 1e30, "distance": "euclidean", "epochs": 3}
    with pytest.raises(TrainingDivergedError, match=r"training diverged in epoch .*lower --learning-rate"):
        train(options(overrides=overrides))
    assert not (tmp_path / "store" / "encoders").exists()


def test_the_same_training_runs_once_at_a_time(options):
    """A second process with the same options is told to wait; the first is not disturbed."""

    def start_another(_epoch: int) -> None:
        with pytest.raises(TemporaryError, match="the same training runs already"):
            train(options(overrides={"epochs": 1}))

    train(options(overrides={"epochs": 1}), displays=[Heard(start_another)])


def test_a_full_disk_while_checkpointing_is_temporary(options, monkeypatch, fitted):
    """Too little space ends in one line that says how to go on; with more space the training resumes."""
    usage = shutil.disk_usage("/")
    heard = Heard()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000 if heard.epochs else 10**9))
        with pytest.raises(TemporaryError, match=r"no space left .*--work-dir"):
            train(options(overrides={"epochs": 3}), displays=[heard])
    train(options(overrides={"epochs": 3}), displays=[heard])
    assert heard.numbers == [1, 2, 3]
    assert len(fitted) == 1


def test_a_training_on_grey_parquet_by_euclidean_distance(options, tmp_path):
    """Another source, another number of channels and another distance need no other code."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": [jpeg(scene(seed)) for seed in range(6)]}), tmp_path / "photos.parquet")
    overrides = {"channels": 1, "distance": "euclidean", "epochs": 1, "corruption": "none"}
    encoder_id = train(options(source=str(tmp_path / "photos.parquet"), overrides=overrides))
    spec = load(Store(tmp_path / "store"), encoder_id).spec
    assert (spec.channels, spec.distance) == (1, "euclidean")


def test_a_training_on_tensorflow_datasets(options, shared_data, tmp_path):
    """A sample of Fashion-MNIST trains through the same decoder."""
    if not (shared_data / "tfds" / "fashion_mnist").is_dir():
        pytest.skip("no prepared TensorFlow Datasets in the shared data")
    encoder_id = train(
        options(
            source="tfds:fashion_mnist/test",
            data_dir=shared_data / "tfds",
            max_photos=20,
            overrides={"epochs": 1, "channels": 1},
        ),
    )
    assert load(Store(tmp_path / "store"), encoder_id).spec.training["photos"] == 20


def test_a_full_disk_in_the_middle_of_a_checkpoint_is_temporary(options, monkeypatch, fitted):
    """HDF5's own words for it are one clear line too, and what was saved before is whole."""

    def fail(self, *_args, **_options):
        raise OSError(f"[Errno 28] Can't write data (file write failed: error message = '{os.strerror(errno.ENOSPC)}')")

    def fill_the_disk(epoch: int) -> None:
        if epoch == 2:
            patch.setattr(keras.Model, "save_weights", fail)

    with monkeypatch.context() as patch, pytest.raises(TemporaryError, match=r"no space left .*--work-dir"):
        train(options(overrides={"epochs": 3}), displays=[Heard(fill_the_disk)])
    assert train_and_hear(options(overrides={"epochs": 3})).numbers == [3]


def test_a_damaged_checkpoint_begins_the_training_anew(options, tmp_path, capsys, fitted):
    """Nothing has to be removed by hand after a crash, and the result is that of an undisturbed training."""
    interrupt_after(1, options())
    (weights,) = tmp_path.rglob("epoch-1.weights.h5")
    weights.write_bytes(weights.read_bytes()[:1000])
    heard = Heard()
    train(options(), displays=[heard, EpochLine()])
    train(options(seed=0))
    assert heard.numbers == [1, 2]
    assert "is damaged (epoch-1.weights.h5 is not as it was written): training begins anew" in capsys.readouterr().err
    np.testing.assert_allclose(fitted[0], fitted[1], atol=1e-6)


def test_restart_begins_anew(options, fitted):
    """Who does not want to resume need not look for the directory."""
    interrupt_after(1, options())
    assert train_and_hear(options(restart=True)).numbers == [1, 2]


def test_decoded_photos_are_shared_between_trainings(options, tmp_path, fitted):
    """With a cache of its own place the second training decodes nothing, and it is kept."""
    decoded = []
    for seed in (None, 1):
        overrides = {"epochs": 1, "patience": seed or 0}
        train(
            options(photo_cache=tmp_path / "photos", overrides=overrides),
            on_photos=lambda *photos: decoded.append(photos),
        )
    assert len(decoded) == 16
    assert len(list((tmp_path / "photos").iterdir())) == 1


def test_what_cannot_be_built_is_refused_before_photos_are_decoded(options, monkeypatch, tmp_path):
    """Nobody waits for a million photos to hear that the architecture does not take their size."""

    def refuse(_recipe):
        raise UsageError("size is 17; expected a multiple of 4")

    monkeypatch.setattr(reconstruction, "build", refuse)
    with pytest.raises(UsageError, match="size is 17"):
        train(options(), on_photos=lambda *_: pytest.fail("a photo was decoded"))
    assert not (tmp_path / "store").exists()


def test_a_device_that_does_not_exist_is_refused_before_photos_are_decoded(options):
    """The valid ones are listed."""
    with pytest.raises(UsageError, match="no device 'GPU:7'"):
        train(options(devices=("GPU:7",)), on_photos=lambda *_: pytest.fail("a photo was decoded"))


def test_curves_continue_where_a_training_resumes(options, tmp_path):
    """Losses and learning rate are on disk after each epoch, in a folder named by the recipe; begun anew, a training
    does not mix with its curves of before."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    def curve(part: str, tag: str) -> list[tuple[int, float]]:
        (folder,) = (tmp_path / "logs").glob("convolutional-*")
        events = EventAccumulator(str(folder / part)).Reload().Tensors(tag)
        return [(event.step, float(make_ndarray(event.tensor_proto))) for event in events]

    logged = options(log_dir=tmp_path / "logs", overrides={"epochs": 3, "schedule": "constant"})
    interrupt_after(2, logged)
    assert [step for step, _ in curve("train", "epoch_loss")] == [0, 1]
    ((_, loss, val_loss),) = train_and_hear(logged).epochs
    assert [step for step, _ in curve("train", "epoch_loss")] == [0, 1, 2]
    assert curve("train", "epoch_loss")[2][1] == pytest.approx(loss)
    assert curve("validation", "epoch_loss")[2][1] == pytest.approx(val_loss)
    assert curve("train", "epoch_learning_rate") == [(step, pytest.approx(0.001)) for step in range(3)]
    train(logged)
    assert [step for step, _ in curve("train", "epoch_loss")] == [0, 1, 2]


def test_a_training_shows_itself_on_stderr(options, capsys, fitted):
    """The line hears of every batch and every epoch, of the resume and of the end; stdout stays for data."""
    batches = []

    class Line(EpochLine):
        def show_batch(self, epoch: int, batch: int, loss: float) -> None:
            batches.append((epoch, batch))
            super().show_batch(epoch, batch, loss)

    train(options(overrides={"batch_size": 4}), displays=[Line()])
    assert batches == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    captured = capsys.readouterr()
    assert captured.out == ""
    photos, *lines = captured.err.splitlines()
    assert photos == "16 photos of 16 listed; left out: 0 exact duplicates, 0 that cannot be used"
    assert lines[0].startswith("training for 2 epochs; interrupted, it resumes from ")
    assert lines[1].startswith("epoch 1 of 2: loss 0.")
    assert lines[3].startswith("trained until epoch 2; best: epoch ")


def test_the_key_of_a_training_does_not_name_the_usual_objective():
    """A training that was interrupted before there were objectives resumes: its directory has the name it had."""
    usual = recipe.load("dense")
    named = {**vars(usual), **usual.options}
    del named["options"], named["objective"], named["objective_options"]
    settings = ["dense", named, "n", "f", None, 0, (), None, 1, keras.__version__]
    source = PhotoSource("n", [])
    source.__dict__["fingerprint"] = "f"
    options = TrainOptions(source="n", store="s", recipe="dense")
    assert training._key(options, usual, source) == key_of(settings)
    # Begun with the weights of an encoder, it is another training.
    assert training._key(replace(options, init="encoder"), usual, source) == key_of([*settings, "encoder"])


def test_no_option_hides_a_fact_of_the_training():
    """What an encoder's description says of its photos and losses is never the value of an option."""
    facts = {"source": "mine", "listed": 9, "photos": 6, "duplicates": 1, "rejects": 2, "seed": 5, "best_epoch": 3}
    hidden = Recipe(architecture="dense", size=8, options=dict.fromkeys(facts, 1))
    photos = PhotoCache(Path("cache"), 9, 6, 1, {"empty_file": 2})
    options = TrainOptions(source="mine", store="s", seed=5)
    described = training._provenance(options, hidden, photos, State(best_epoch=3), seconds=4.0)
    assert {name: described[name] for name in facts} == facts
    assert described["objective"] == "reconstruction"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_photos": 1}, "--max-photos is 1"),
        ({"seed": -1}, "--seed is -1"),
        ({"recipe": "none"}, "no recipe 'none'"),
    ],
)
def test_impossible_options_are_refused(options, change, message):
    """Options are checked before anything is read or written."""
    with pytest.raises(UsageError, match=message):
        train(options(**change))
