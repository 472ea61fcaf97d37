"""Colour autoencoder: convolutions and max pooling, repeated down to a code of 8 × 8 × 8, for photos of 32 × 32.

    firstseen train --source 'SHARDS/*.tar' --recipe colour --store STORE

Expected time on two cores: 2.3 minutes for 6,000 photos.

Expected score on downsampled ImageNet: test error (MSE) 0.0049.
"""

from training.recipe import Recipe

RECIPE = Recipe(
    architecture="pooling",
    size=32,
    channels=3,
    dimension=512,
    distance="euclidean",
    epochs=40,
    batch_size=32,
    learning_rate=0.002,
    options={
        "filters": "32-64",
        "repeats": 1,
        "pooling": "max",
        "decoder": "upsampling",
        "fully_connected": False,
        "dropout": 0.0,
    },
)
