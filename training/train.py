"""Trains an encoder: source → decoded photos → fit → export → published in the store."""

import contextlib
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import keras

from foundation.errors import TrainingDivergedError, UsageError
from foundation.photos import photo
from foundation.store.files import Store
from training import recipe as recipes
from training.data.batches import PhotoBatches, split
from training.data.photo_cache import OnPhotos, PhotoCache, cache_photos
from training.data.source import PhotoSource, open_source
from training.export import export
from training.fitting.callbacks import (
    KeepCheckpoints,
    OnEpoch,
    ReportEpoch,
    RequireSpace,
    SetEpoch,
    ShowEpochs,
    StopOnNonFiniteLoss,
)
from training.fitting.checkpoints import Checkpoints, State
from training.fitting.devices import computing
from training.fitting.display import Display
from training.fitting.schedules import learning_rate
from training.fitting.work_directory import key_of, working
from training.objectives.reconstruction import Autoencoder, build
from training.recipe import Recipe, Scalar


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """What to train on, by which recipe, and where to.

    `source` is `tfds:NAME[/SPLIT]`, a folder of images or Parquet; `overrides` change fields or options of the recipe.
    `devices` are backend names such as `GPU:0` (default: every GPU, else the CPU); `mixed_precision` defaults to true
    on GPUs. An interrupted training resumes from `work_dir` when it is run again with the same options, or with
    `restart` begins anew. Its losses and learning rate go to a folder of its own below `log_dir`, for TensorBoard.

    Decoded photos are kept in `photo_cache`, and trainings on the same photos at the same size share them; without
    one they lie in the training's own part of `work_dir`, which is removed when the encoder is in the store.
    """

    source: str
    store: str | Path
    recipe: str = "convolutional"
    overrides: Mapping[str, Scalar] = field(default_factory=dict)
    data_dir: Path | None = None
    max_photos: int | None = None
    work_dir: Path | None = None
    photo_cache: Path | None = None
    log_dir: Path | None = None
    restart: bool = False
    seed: int = 0
    devices: tuple[str, ...] = ()
    mixed_precision: bool | None = None

    def __post_init__(self):
        """Raises UsageError on values that cannot work."""
        if self.max_photos is not None and self.max_photos < 2:
            raise UsageError(f"max_photos is {self.max_photos}; expected at least 2")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed is {self.seed}; expected a whole number from 0 to {2**32 - 1}")


def train(
    options: TrainOptions,
    *,
    on_epoch: OnEpoch | None = None,
    on_photos: OnPhotos | None = None,
    line: Display | None = None,
) -> str:
    """Trains and publishes an encoder; returns its id.

    Calls `on_photos(done, listed, rejected)` for every photo decoded and `on_epoch(epoch, epochs, loss,
    validation_loss)` for every epoch, and shows the training on `line`. Raises UsageError, InputNotFoundError,
    TrainingDivergedError, ArtifactRefusedError, and TemporaryError when the disk is full or the same training already
    runs.
    """
    recipe = recipes.load(options.recipe).override(**options.overrides)
    with computing(options.devices, mixed_precision=options.mixed_precision):
        build(recipe)  # refuses what cannot be built, before photos are decoded for it
    source = open_source(options.source, data_dir=options.data_dir)
    store = Store(options.store, create=True)
    started = time.monotonic()
    with working(_key(options, recipe, source), work_dir=options.work_dir) as directory:
        photos = cache_photos(
            source,
            cache=options.photo_cache or directory / "photos",
            size=recipe.size,
            channels=recipe.channels,
            max_photos=options.max_photos,
            seed=options.seed,
            on_photos=on_photos,
        )
        if line:
            line.show_photos(photos)
        trained, state = _fit(recipe, photos, directory=directory, options=options, on_epoch=on_epoch, line=line)
        provenance = _provenance(options, recipe, photos, state, seconds=time.monotonic() - started)
        try:
            encoder_id = export(trained, store=store, name=options.recipe, recipe=recipe, training=provenance)
        except TrainingDivergedError:
            shutil.rmtree(directory)  # nothing here is worth resuming from
            raise
        shutil.rmtree(directory)
    return encoder_id


def _fit(
    recipe: Recipe,
    photos: PhotoCache,
    *,
    directory: Path,
    options: TrainOptions,
    on_epoch: OnEpoch | None,
    line: Display | None,
) -> tuple[Autoencoder, State]:
    """Returns the autoencoder with the weights of its best epoch, in float32, and what is known of that epoch."""
    checkpoints = Checkpoints(directory / "checkpoints")
    if options.restart or checkpoints.damage:
        checkpoints.clear()
    # Else only the export was interrupted.
    if not checkpoints.state.is_final(epochs=recipe.epochs, patience=recipe.patience):
        training, validation = _batches(recipe, photos, seed=options.seed)
        keras.utils.set_random_seed(options.seed)
        with computing(options.devices, mixed_precision=options.mixed_precision):
            model = build(recipe).as_one_model()
            rate = learning_rate(recipe.schedule, highest=recipe.learning_rate, steps=recipe.epochs * len(training))
            model.compile(optimizer=keras.optimizers.Adam(rate), loss=recipe.loss)
            checkpoints.restore(model)
        callbacks = _callbacks(recipe, training, checkpoints, log_dir=options.log_dir, name=options.recipe)
        if on_epoch:
            callbacks.append(ReportEpoch(on_epoch, epochs=recipe.epochs))
        if line:
            callbacks.append(ShowEpochs(line, checkpoints))
        with line or contextlib.nullcontext():
            model.fit(
                training,
                validation_data=validation,
                initial_epoch=checkpoints.state.epoch,
                epochs=recipe.epochs,
                verbose=0,
                callbacks=callbacks,
            )
    # Built anew: whatever precision and however many devices trained it, what is exported is plain float32.
    trained = build(recipe)
    trained.as_one_model().load_weights(checkpoints.best_weights)
    return trained, checkpoints.state


def _callbacks(
    recipe: Recipe, training: PhotoBatches, checkpoints: Checkpoints, *, log_dir: Path | None, name: str
) -> list[keras.callbacks.Callback]:
    work = checkpoints.directory.parent
    callbacks = [
        SetEpoch(training),
        StopOnNonFiniteLoss(learning_rate=recipe.learning_rate),
        RequireSpace(work),
        KeepCheckpoints(checkpoints, patience=recipe.patience),
    ]
    if log_dir:
        curves = log_dir / f"{name}-{work.name[:8]}"
        if not checkpoints.state.epoch:
            shutil.rmtree(curves, ignore_errors=True)  # of the same training before, and now begun anew
        curves.mkdir(parents=True, exist_ok=True)
        callbacks.append(keras.callbacks.TensorBoard(curves, write_graph=False))
    return callbacks


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


def _provenance(
    options: TrainOptions, recipe: Recipe, photos: PhotoCache, state: State, *, seconds: float
) -> dict[str, Scalar]:
    return {
        # A name that is no text has no place in JSON.
        "source": options.source.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        "listed": photos.listed,
        "photos": photos.photos,
        "duplicates": photos.duplicates,
        "rejects": sum(photos.rejects.values()),
        "seed": options.seed,
        "best_epoch": state.best_epoch,
        "training_loss": state.loss,
        "validation_loss": state.val_loss,
        "seconds": round(seconds, 1),
        **_settings(recipe),
    }


def _settings(recipe: Recipe) -> dict[str, Scalar]:
    return {**{name: value for name, value in vars(recipe).items() if name != "options"}, **recipe.options}


def _key(options: TrainOptions, recipe: Recipe, source: PhotoSource) -> str:
    settings: list[object] = [options.recipe, _settings(recipe), source.name, source.fingerprint, options.max_photos]
    settings += [options.seed, options.devices, options.mixed_precision, photo.DECODE_RULE, keras.__version__]
    return key_of(settings)
