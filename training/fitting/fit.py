"""Fits the models of a recipe to photos, from the start or from the last checkpoint."""

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import keras

from training import objective
from training.data.batches import PhotoBatches, split
from training.data.photo_cache import PhotoCache
from training.fitting.callbacks import KeepCheckpoints, RequireSpace, SetEpoch, ShowEpochs, StopOnNonFiniteLoss
from training.fitting.checkpoints import Checkpoints, State
from training.fitting.devices import computing
from training.fitting.display import Display
from training.fitting.initial_weights import InitialWeights, assign
from training.fitting.schedules import learning_rate
from training.objective import Models
from training.options import TrainOptions
from training.recipe import Recipe

CHECKPOINTS = "checkpoints"


def fit(
    recipe: Recipe,
    photos: PhotoCache,
    *,
    directory: Path,
    options: TrainOptions,
    displays: Sequence[Display] = (),
    initial: InitialWeights | None = None,
) -> tuple[Models, State]:
    """Returns the models with the weights of their best epoch, in float32, and what is known of that epoch.

    Checkpoints lie below `directory`; `initial` are the weights to begin with, random ones by default.
    Raises InputNotFoundError below two photos, and TrainingDivergedError.
    """
    for display in displays:
        display.show_photos(photos)
    checkpoints = Checkpoints(directory / CHECKPOINTS)
    if options.restart or checkpoints.damage:
        checkpoints.clear()
    # A training that has ended lies here still if only its export was interrupted.
    if not checkpoints.state.is_final(epochs=recipe.epochs, patience=recipe.patience):
        batches = make_batches(recipe, photos, seed=options.seed)
        _fit(recipe, batches, checkpoints, options=options, displays=displays, initial=initial)
    # Built anew: whatever precision and however many devices trained it, what is exported is plain float32.
    models = objective.load(recipe.objective).build(recipe)
    models.fitted.load_weights(checkpoints.best_weights)
    return models, checkpoints.state


def make_batches(recipe: Recipe, photos: PhotoCache, *, seed: int) -> tuple[PhotoBatches, PhotoBatches]:
    """Returns (training, validation): the objective's batches of photos that the seed has split."""
    pixels = photos.open()
    training, validation = split(len(pixels), validation_share=recipe.validation_share, seed=seed)
    make = objective.load(recipe.objective).batches
    return (
        make(recipe, pixels, training, seed=seed, training=True),
        make(recipe, pixels, validation, seed=seed, training=False),
    )


def _fit(
    recipe: Recipe,
    batches: tuple[PhotoBatches, PhotoBatches],
    checkpoints: Checkpoints,
    *,
    options: TrainOptions,
    displays: Sequence[Display],
    initial: InitialWeights | None,
) -> None:
    training, validation = batches
    # The start of the weights depends on the seed alone, not on what this process has computed before.
    keras.utils.set_random_seed(options.seed)
    with computing(options.devices, mixed_precision=options.mixed_precision):
        model = _compiled(recipe, steps=recipe.epochs * len(training), initial=initial)
        checkpoints.restore(model)
    with contextlib.ExitStack() as shown:
        for display in displays:
            shown.enter_context(display)
        model.fit(
            training,
            validation_data=validation,
            initial_epoch=checkpoints.state.epoch,
            epochs=recipe.epochs,
            verbose=0,
            # Keras would shuffle the batches once more, and after a resume otherwise than without the interruption.
            shuffle=False,
            callbacks=[
                *_callbacks(recipe, training, checkpoints),
                *_curves(checkpoints, log_dir=options.log_dir, name=options.recipe),
                *(ShowEpochs(display, checkpoints) for display in displays),
            ],
        )


def _compiled(recipe: Recipe, *, steps: int, initial: InitialWeights | None) -> keras.Model:
    models = objective.load(recipe.objective).build(recipe)
    assign(models, initial or {})
    rate = learning_rate(recipe.schedule, highest=recipe.learning_rate, steps=steps)
    models.fitted.compile(optimizer=keras.optimizers.Adam(rate), loss=models.loss)
    return models.fitted


def _callbacks(recipe: Recipe, training: PhotoBatches, checkpoints: Checkpoints) -> list[keras.callbacks.Callback]:
    # In this order: what is lost or does not fit is noticed before a checkpoint of it is written.
    return [
        SetEpoch(training),
        StopOnNonFiniteLoss(learning_rate=recipe.learning_rate),
        RequireSpace(checkpoints.directory.parent),
        KeepCheckpoints(checkpoints, patience=recipe.patience),
    ]


def _curves(checkpoints: Checkpoints, *, log_dir: Path | None, name: str) -> list[keras.callbacks.Callback]:
    if not log_dir:
        return []
    folder = log_dir / f"{name}-{checkpoints.directory.parent.name[:8]}"
    if not checkpoints.state.epoch:
        # The same training ran before and begins anew: TensorBoard would draw both as one curve.
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return [keras.callbacks.TensorBoard(folder, write_graph=False)]
