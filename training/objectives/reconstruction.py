"""Trains an encoder with a decoder that has to restore each photo from its vector."""

import keras
import numpy as np

from foundation.encoder import DECODER
from foundation.errors import UsageError
from training import architecture
from training.architecture import Autoencoder
from training.data.batches import PhotoBatches
from training.objective import Models
from training.recipe import Recipe


def build(recipe: Recipe) -> Models:
    """Builds the recipe's architecture, encoder and decoder in a row: uint8 photos to float32 photos in [0, 1].

    Raises UsageError on an architecture without a decoder.
    """
    autoencoder = architecture.build(recipe)
    if not isinstance(autoencoder, Autoencoder):
        raise UsageError(
            f"architecture {recipe.architecture!r} has no decoder, which the objective 'reconstruction' fits; expected "
            "another architecture, or the objective 'contrastive'"
        )
    photos = keras.Input(autoencoder.encoder.input_shape[1:], dtype="uint8", name="photos")
    restored = autoencoder.decoder(autoencoder.encoder(photos))
    return Models(
        fitted=keras.Model(photos, restored, name="autoencoder"),
        loss=recipe.loss,
        encoder=autoencoder.encoder,
        heads={DECODER: autoencoder.decoder},
    )


def cached_size(recipe: Recipe) -> int:
    """Returns the encoder's size: the photos are trained on as they were decoded."""
    return recipe.size


def batches(recipe: Recipe, photos: np.ndarray, indices: np.ndarray, *, seed: int, training: bool) -> PhotoBatches:
    """Returns pairs of photos and themselves; those of training are shuffled, and damaged as the recipe says."""
    return PhotoBatches(
        photos,
        indices,
        batch_size=recipe.batch_size,
        seed=seed,
        shuffle=training,
        # The error on undamaged photos is what the encoder will be used for: validation measures that.
        corruption=recipe.corruption if training else "none",
    )
