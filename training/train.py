"""Trains an encoder: source → decoded photos → fit → export → published in the store."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import keras

from training import photo
from training import recipe as recipes
from training.autoencoder import Autoencoder, build
from training.batches import PhotoBatches, split
from training.callbacks import KeepBest, OnEpoch, ReportEpoch, RequireSpace, SetEpoch, StopOnNonFiniteLoss
from training.datasets import OnPhotos, PhotoCache, cache_photos
from training.devices import computing
from training.errors import FirstseenError, TemporaryError, UsageError
from training.export import export
from training.recipe import Recipe, Scalar
from training.sources import PhotoSource, open_source
from training.store import Store

WARM_UP_SHARE = 0.05


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What to train on, by which recipe, and where to.

    `source` is `tfds:NAME[/SPLIT]`, a folder of images or Parquet; `overrides` change fields or options of the recipe.
    `devices` are backend names such as `GPU:0` (default: every GPU, else the CPU); `mixed_precision` defaults to true
    on GPUs. An interrupted training resumes from `work_dir` when it is run again with the same options.
    """

    source: str
    store: str | Path
    recipe: str = "convolutional"
    overrides: Mapping[str, Scalar] = field(default_factory=dict)
    data_dir: Path | None = None
    max_photos: int | None = None
    work_dir: Path | None = None
    seed: int = 0
    devices: tuple[str, ...] = ()
    mixed_precision: bool | None = None

    def __post_init__(self):
        """Raises UsageError on values that cannot work."""
        if self.max_photos is not None and self.max_photos < 2:
            raise UsageError(f"max_photos is {self.max_photos}; expected at least 2")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed is {self.seed}; expected a whole number from 0 to {2**32 - 1}")


def print_epoch(epoch: int, epochs: int, loss: float, val_loss: float) -> None:
    """Prints one line to stderr."""
    print(
        f"epoch {epoch}/{epochs}  loss {loss:.5f}  validation loss {val_loss:.5f}",
        file=sys.stderr,
        flush=True,
    )


def train(options: TrainOptions, *, on_epoch: OnEpoch = print_epoch, on_photos: OnPhotos | None = None) -> str:
    """Trains and publishes an encoder; returns its id.

    Calls `on_photos(done, listed, rejected)` for every photo decoded and `on_epoch(epoch, epochs, loss,
    validation_loss)` for every epoch. Raises UsageError, InputNotFoundError, TrainingDivergedError,
    ArtifactRefusedError, and TemporaryError when the disk is full or the same training already runs.
    """
    recipe = recipes.load(options.recipe).override(**options.overrides)
    source = open_source(options.source, data_dir=options.data_dir)
    store = Store(options.store, create=True)
    started = time.monotonic()
    with _working(options, recipe, source) as directory, _full_disk_is_temporary(directory):
        photos = cache_photos(
            source,
            cache=directory / "photos",
            size=recipe.size,
            channels=recipe.channels,
            max_photos=options.max_photos,
            seed=options.seed,
            on_photos=on_photos,
        )
        trained, best = _fit(recipe, photos, directory=directory, options=options, on_epoch=on_epoch)
        encoder_id = export(
            trained,
            store=store,
            name=options.recipe,
            recipe=recipe,
            training=_provenance(options, recipe, photos, best, seconds=time.monotonic() - started),
        )
        shutil.rmtree(directory)
    return encoder_id


def _fit(
    recipe: Recipe, photos: PhotoCache, *, directory: Path, options: TrainOptions, on_epoch: OnEpoch
) -> tuple[Autoencoder, dict]:
    """Returns the autoencoder with the weights of its best epoch, in float32, and what is known of that epoch."""
    keep_best = KeepBest(directory, patience=recipe.patience)
    fitted = directory / "fitted"
    if not fitted.exists():  # else only the export was interrupted
        training, validation = _batches(recipe, photos, seed=options.seed)
        keras.utils.set_random_seed(options.seed)
        with computing(options.devices, mixed_precision=options.mixed_precision):
            model = build(recipe).as_one_model()
            model.compile(optimizer=_optimizer(recipe, steps=len(training)), loss=recipe.loss)
        model.fit(
            training,
            validation_data=validation,
            epochs=recipe.epochs,
            verbose=0,
            callbacks=[
                SetEpoch(training),
                StopOnNonFiniteLoss(learning_rate=recipe.learning_rate),
                RequireSpace(directory),
                keep_best,
                keras.callbacks.BackupAndRestore(directory / "backup", double_checkpoint=True, delete_checkpoint=False),
                ReportEpoch(on_epoch, epochs=recipe.epochs),
            ],
        )
        fitted.touch()
    # Built anew: whatever precision and however many devices trained it, what is exported is plain float32.
    trained = build(recipe)
    trained.as_one_model().load_weights(keep_best.weights)
    return trained, keep_best.best


def _batches(recipe: Recipe, photos: PhotoCache, *, seed: int) -> tuple[PhotoBatches, PhotoBatches]:
    pixels = photos.open()
    training, validation = split(len(pixels), validation_share=recipe.validation_share, seed=seed)
    return (
        PhotoBatches(
            pixels,
            training,
            batch_size=recipe.batch_size,
            seed=seed,
            shuffle=True,
            corruption=recipe.corruption,
        ),
        PhotoBatches(pixels, validation, batch_size=recipe.batch_size, seed=seed),
    )


def _optimizer(recipe: Recipe, *, steps: int) -> keras.optimizers.Optimizer:
    rate = recipe.learning_rate
    if recipe.schedule == "cosine":
        total = recipe.epochs * steps
        warm_up = int(total * WARM_UP_SHARE)
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 10 if warm_up else rate,
            decay_steps=max(1, total - warm_up),
            warmup_target=rate if warm_up else None,
            warmup_steps=warm_up,
        )
    return keras.optimizers.Adam(rate)


def _provenance(
    options: TrainOptions, recipe: Recipe, photos: PhotoCache, best: dict, *, seconds: float
) -> dict[str, Scalar]:
    return {
        "source": options.source,
        "listed": photos.listed,
        "photos": photos.photos,
        "duplicates": photos.duplicates,
        "rejects": sum(photos.rejects.values()),
        "seed": options.seed,
        "best_epoch": best["epoch"],
        "training_loss": best["loss"],
        "validation_loss": best["val_loss"],
        "seconds": round(seconds, 1),
        **_settings(recipe),
    }


def _settings(recipe: Recipe) -> dict[str, Scalar]:
    return {**{name: value for name, value in vars(recipe).items() if name != "options"}, **recipe.options}


@contextlib.contextmanager
def _working(options: TrainOptions, recipe: Recipe, source: PhotoSource) -> Iterator[Path]:
    """Yields the locked directory of this very training; raises TemporaryError while another process holds it."""
    settings: list[object] = [options.recipe, _settings(recipe), source.name, source.fingerprint, options.max_photos]
    settings += [options.seed, options.devices, options.mixed_precision, photo.DECODE_RULE, keras.__version__]
    key = hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]
    directory = (options.work_dir or _default_work_dir()) / key
    directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(directory, os.O_RDONLY)
    try:
        if not _locked(lock, directory):
            raise TemporaryError(
                f"the same training runs already in {directory}; wait for it to end, or change an option"
            )
        yield directory
    finally:
        os.close(lock)


def _locked(lock: int, directory: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have finished, and removed the directory, since it was opened here.
        return os.path.samestat(os.fstat(lock), directory.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _default_work_dir() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "firstseen", "training")


@contextlib.contextmanager
def _full_disk_is_temporary(directory: Path) -> Iterator[None]:
    try:
        yield
    except FirstseenError:
        raise
    except Exception as error:
        # HDF5 and TensorFlow raise errors of their own, with the system's message in their text.
        if getattr(error, "errno", None) != errno.EDQUOT and os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise TemporaryError(
            f"no space left for the training in {directory}, or for its export in {tempfile.gettempdir()}: free some, "
            "or name another folder with --work-dir, and run again; it resumes from the last epoch"
        ) from error
