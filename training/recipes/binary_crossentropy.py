"""Convolutional autoencoder for 28 × 28: 32, 16 and 8 filters, a code of 4 × 4 × 8, binary cross-entropy.

Neighbours by Euclidean distance; `--distance cosine` compares by the angle.

    firstseen train --source tfds:mnist --recipe binary_crossentropy --store STORE

Expected time on two cores: 94 seconds to 98 seconds for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0104 and 0.0134; precision@10 by class
0.909 and 0.766. `docs/study` compares all recipes.
"""

from training.recipe import Recipe

RECIPE = Recipe(
    architecture="pooling",
    size=28,
    channels=1,
    dimension=128,
    distance="euclidean",
    epochs=6,
    batch_size=128,
    learning_rate=0.002,
    loss="binary_crossentropy",
    options={
        "filters": "32-16-8",
        "repeats": 1,
        "pooling": "max",
        "decoder": "upsampling",
        "fully_connected": False,
        "dropout": 0.0,
    },
)
