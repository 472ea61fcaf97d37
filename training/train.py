"""Trains an encoder: source → decoded photos → fit → export → published in the store."""

import contextlib
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import keras

from foundation.errors import FirstseenError, TemporaryError, TrainingDivergedError
from foundation.photos import photo
from foundation.store.files import Store
from training import objective
from training import recipe as recipes
from training.choices import Scalar
from training.data.photo_cache import OnPhotos, PhotoCache, cache_photos
from training.data.source import PhotoSource, open_source
from training.export import export
from training.fitting import work_directory
from training.fitting.checkpoints import Checkpoints, State
from training.fitting.devices import computing
from training.fitting.display import Display
from training.fitting.fit import CHECKPOINTS, fit
from training.fitting.folders import full_disk_is_temporary, make_folder, require_outside
from training.fitting.initial_weights import read_initial_weights
from training.options import TrainOptions
from training.recipe import OPTIONS, Recipe


def train(options: TrainOptions, *, on_photos: OnPhotos | None = None, displays: Sequence[Display] = ()) -> str:
    """Trains and publishes an encoder; returns its id.

    Calls `on_photos(done, listed, rejected)` for every photo decoded, and shows the training on every one of the
    `displays`. Raises UsageError, InputNotFoundError, TrainingDivergedError, ArtifactRefusedError, and TemporaryError
    when the disk is full or the same training already runs.
    """
    recipe = recipes.load(options.recipe)
    if options.backbone:
        recipe = recipe.on_backbone(options.backbone)
    recipe = recipe.override(**options.overrides)
    with computing(options.devices, mixed_precision=options.mixed_precision):
        # Refuses what cannot be built before photos are decoded for it, which may take hours.
        objective.load(recipe.objective).build(recipe)
    initial = read_initial_weights(Store(options.store), options.init, recipe) if options.init else None
    # What lists and hashes a large source comes after what fails at once.
    source = open_source(options.source, data_dir=options.data_dir)
    store = Store(options.store, create=True)
    _require_folders(options, store)
    started = time.monotonic()
    key = _key(options, recipe, source)
    with work_directory.working(key, work_dir=options.work_dir) as directory, _kept_to_resume(directory):
        photos = _decode(options, recipe, source, directory=directory, on_photos=on_photos)
        models, state = fit(recipe, photos, directory=directory, options=options, displays=displays, initial=initial)
        facts = _provenance(options, recipe, photos, state, seconds=time.monotonic() - started)
        return export(models, store=store, name=options.recipe, recipe=recipe, training=facts)


def _require_folders(options: TrainOptions, store: Store) -> None:
    """Finds out now, and not hours later, that a folder cannot be used."""
    for flag, folder in (
        ("--work-dir", options.work_dir),
        ("--photo-cache", options.photo_cache),
        ("--log-dir", options.log_dir),
    ):
        require_outside(store, folder, flag=flag)
    if options.log_dir:
        make_folder(options.log_dir, flag="--log-dir")
    # A cache that is there may hold the photos already, and is then only read: it may belong to somebody else.
    if options.photo_cache and not options.photo_cache.is_dir():
        make_folder(options.photo_cache, flag="--photo-cache")


def _decode(
    options: TrainOptions, recipe: Recipe, source: PhotoSource, *, directory: Path, on_photos: OnPhotos | None
) -> PhotoCache:
    """Returns the decoded photos, with a list of those left out that outlives the training."""
    cache = options.photo_cache or directory / "photos"
    flag = "--photo-cache" if options.photo_cache else "--work-dir"
    with full_disk_is_temporary(f"the decoded photos in {cache}", flag=flag):
        photos = cache_photos(
            source,
            cache=cache,
            size=objective.load(recipe.objective).cached_size(recipe),
            channels=recipe.channels,
            max_photos=options.max_photos,
            seed=options.seed,
            on_photos=on_photos,
        )
        if options.photo_cache or not photos.rejects_file:
            return photos
        # The work directory goes when the training ends; who reads the list may come later.
        kept = directory.with_name(f"{directory.name}-{photos.rejects_file.name}")
        shutil.copyfile(photos.rejects_file, kept)
        return replace(photos, rejects_file=kept)


@contextlib.contextmanager
def _kept_to_resume(directory: Path) -> Iterator[None]:
    """Removes the work directory of a training that has ended, or that would fail in the same way if it went on.

    One that diverged would. Before the first epoch has ended nothing lies there but decoded photos: they are kept for
    what passes by itself, such as a full disk, and not for a source or a setting that has to change.
    """
    try:
        yield
    except TemporaryError:
        raise
    except FirstseenError as error:
        if isinstance(error, TrainingDivergedError) or not Checkpoints(directory / CHECKPOINTS).state.epoch:
            shutil.rmtree(directory)
        raise
    shutil.rmtree(directory)


def _provenance(
    options: TrainOptions, recipe: Recipe, photos: PhotoCache, state: State, *, seconds: float
) -> dict[str, Scalar]:
    return {
        **_settings(recipe),
        # A name that is no text has no place in JSON.
        "source": options.source.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
        "listed": photos.listed,
        "photos": photos.photos,
        "duplicates": photos.duplicates,
        "rejects": sum(photos.rejects.values()),
        "seed": options.seed,
        **({"init": options.init} if options.init else {}),
        "best_epoch": state.best_epoch,
        "training_loss": state.loss,
        "validation_loss": state.val_loss,
        "seconds": round(seconds, 1),
    }


def _settings(recipe: Recipe) -> dict[str, Scalar]:
    return {**{name: value for name, value in vars(recipe).items() if name not in OPTIONS}, **recipe.all_options}


def _key(options: TrainOptions, recipe: Recipe, source: PhotoSource) -> str:
    named = recipe.identity()
    for name in OPTIONS:
        named |= named.pop(name, {})
    settings: list[object] = [options.recipe, named, source.name, source.fingerprint, options.max_photos]
    settings += [options.seed, options.devices, options.mixed_precision, photo.DECODE_RULE, keras.__version__]
    if options.init:
        settings.append(options.init)
    return work_directory.key_of(settings)
