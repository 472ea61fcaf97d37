"""Training end to end on sixteen photos: publishes, resumes, repeats, and fails clearly."""

import errno
import os
import shutil

import numpy as np
import pytest

from tests.photos import jpeg, scene
from tests.training.conftest import TINY
from training import train as training
from training.batches import PhotoBatches
from training.encoder_spec import golden_photos
from training.errors import TemporaryError, TrainingDivergedError, UsageError
from training.saved_encoder import load
from training.store import Store
from training.train import TrainOptions, train


@pytest.fixture
def options(photo_folder, tmp_path):
    """A function that makes the options of a tiny training below the test's own folder."""

    def make(store="store", **changes) -> TrainOptions:
        changes["overrides"] = {**TINY, **changes.get("overrides", {})}
        return TrainOptions(
            **{"source": str(photo_folder), "store": tmp_path / store, "work_dir": tmp_path / "work", **changes}
        )

    return make


@pytest.fixture
def fitted(monkeypatch) -> list[np.ndarray]:
    """What trainings hand to the export, which is replaced: the answers of each encoder to a few photos."""
    answers = []

    def answer(autoencoder, **_options):
        photos = golden_photos(TINY["size"], 3)
        answers.append(np.asarray(autoencoder.encoder(photos)))

    monkeypatch.setattr(training, "export", answer)
    return answers


def ignore(*_) -> None:
    """Hears of an epoch and does nothing."""


def test_training_publishes_an_encoder_and_cleans_up(options, tmp_path):
    """The encoder is described by what it was trained on, every epoch is reported, the work directory is empty."""
    heard = []
    encoder_id = train(options(), on_epoch=lambda *epoch: heard.append(epoch))
    assert [epoch[:2] for epoch in heard] == [(1, 2), (2, 2)]
    assert all(np.isfinite(epoch[2:]).all() for epoch in heard)
    spec = load(Store(tmp_path / "store"), encoder_id).spec
    assert encoder_id.startswith("convolutional-")
    assert spec.training["photos"] == spec.training["listed"] == 16
    assert spec.training["filters"] == TINY["filters"]
    assert list((tmp_path / "work").iterdir()) == []


def test_an_interrupted_training_resumes_to_the_same_encoder(options, fitted):
    """Weights, optimizer, order of photos and damage continue where they were: nothing shows the interruption."""
    four = {"epochs": 4}
    whole, resumed = [], []
    train(options(overrides=four), on_epoch=lambda *epoch: whole.append(epoch))

    def interrupt(*epoch):
        resumed.append(epoch)
        if epoch[0] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(options(overrides=four), on_epoch=interrupt)
    train(options(overrides=four), on_epoch=lambda *epoch: resumed.append(epoch))
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

    monkeypatch.setattr(training, "PhotoBatches", Watched)
    train(options(), on_epoch=ignore)
    assert epochs == {(True, 0), (True, 1), (False, 0)}


def test_a_training_whose_export_failed_only_exports_again(options, monkeypatch, fitted):
    """What took hours is not repeated because the store was full."""

    def fail(*_args, **_options):
        raise TemporaryError("cannot write")

    with monkeypatch.context() as patch:
        patch.setattr(training, "export", fail)
        with pytest.raises(TemporaryError):
            train(options(), on_epoch=ignore)
    heard = []
    train(options(), on_epoch=lambda *epoch: heard.append(epoch))
    assert heard == []
    assert len(fitted) == 1


def test_the_seed_decides(options, fitted):
    """The same seed gives the same encoder, another seed another."""
    for seed in (1, 1, 2):
        train(options(seed=seed, overrides={"epochs": 1}), on_epoch=ignore)
    np.testing.assert_allclose(fitted[0], fitted[1], atol=1e-6)
    assert np.abs(fitted[0] - fitted[2]).max() > 0.01


def test_the_best_epoch_is_published_and_patience_ends_the_training(options, tmp_path):
    """A learning rate that spoils later epochs does not spoil the encoder, and they are not waited for."""
    heard = []
    overrides = {"epochs": 30, "patience": 2, "learning_rate": 0.3, "schedule": "constant"}
    encoder_id = train(options(overrides=overrides), on_epoch=lambda *epoch: heard.append(epoch))
    best = min(heard, key=lambda epoch: epoch[3])
    assert len(heard) == best[0] + 2 < 30
    spec = load(Store(tmp_path / "store"), encoder_id).spec
    assert (spec.training["best_epoch"], spec.training["validation_loss"]) == (best[0], best[3])


def test_mixed_precision_publishes_single_precision(options, tmp_path):
    """Half precision in training leaves no trace in the encoder but its rounding."""
    encoder_id = train(options(mixed_precision=True, overrides={"epochs": 1}), on_epoch=ignore)
    encoder = load(Store(tmp_path / "store"), encoder_id)
    vectors = encoder.encode(np.zeros((2, 17, 17, 3), np.uint8))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_a_diverging_training_stops_and_publishes_nothing(options, tmp_path):
    """A loss that is not finite ends in one line with the remedy."""
    overrides = {"learning_rate": 1e30, "distance": "euclidean", "epochs": 3}
    with pytest.raises(TrainingDivergedError, match=r"training diverged in epoch .*lower --learning-rate"):
        train(options(overrides=overrides), on_epoch=ignore)
    assert not (tmp_path / "store" / "encoders").exists()


def test_the_same_training_runs_once_at_a_time(options):
    """A second process with the same options is told to wait; the first is not disturbed."""

    def start_another(*_):
        with pytest.raises(TemporaryError, match="the same training runs already"):
            train(options(overrides={"epochs": 1}), on_epoch=ignore)

    train(options(overrides={"epochs": 1}), on_epoch=start_another)


def test_a_full_disk_while_checkpointing_is_temporary(options, monkeypatch, fitted):
    """Too little space ends in one line that says how to go on; with more space the training resumes."""
    usage = shutil.disk_usage("/")
    heard = []
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=(heard and 1000) or 10**9))
        with pytest.raises(TemporaryError, match=r"no space left .*--work-dir"):
            train(options(overrides={"epochs": 3}), on_epoch=lambda *epoch: heard.append(epoch))
    train(options(overrides={"epochs": 3}), on_epoch=lambda *epoch: heard.append(epoch))
    assert [epoch[0] for epoch in heard] == [1, 2, 3]
    assert len(fitted) == 1


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("HDF5: file write failed: errno = 28, error message = 'No space left on device'"),
    ],
)
def test_every_way_to_say_that_the_disk_is_full_is_understood(options, monkeypatch, error):
    """The system, HDF5 and TensorFlow say it in their own words; the user reads one line."""

    def fail(*_args, **_options):
        raise error

    monkeypatch.setattr(training, "cache_photos", fail)
    with pytest.raises(TemporaryError, match=r"no space left .*--work-dir"):
        train(options(), on_epoch=ignore)


def test_a_training_on_grey_parquet_by_euclidean_distance(options, tmp_path):
    """Another source, another number of channels and another distance need no other code."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": [jpeg(scene(seed)) for seed in range(6)]}), tmp_path / "photos.parquet")
    overrides = {"channels": 1, "distance": "euclidean", "epochs": 1, "corruption": "none"}
    encoder_id = train(options(source=str(tmp_path / "photos.parquet"), overrides=overrides), on_epoch=ignore)
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
        on_epoch=ignore,
    )
    assert load(Store(tmp_path / "store"), encoder_id).spec.training["photos"] == 20


def test_progress_is_printed_to_stderr(capsys):
    """Without a callback every epoch is one plain line, and stdout stays for data."""
    training.print_epoch(3, 20, 0.0123456, 0.02)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "epoch 3/20  loss 0.01235  validation loss 0.02000\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [({"max_photos": 1}, "max_photos is 1"), ({"seed": -1}, "seed is -1"), ({"recipe": "none"}, "no recipe 'none'")],
)
def test_impossible_options_are_refused(options, change, message):
    """Options are checked before anything is read or written."""
    with pytest.raises(UsageError, match=message):
        train(options(**change))
