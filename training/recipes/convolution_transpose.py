"""Convolutions and pooling to a map of 4 × 4 that is the code, transpose convolutions back.

No fully connected layer: the dimension is a multiple of the map's 16 pixels.

    firstseen train --source tfds:mnist --recipe convolution_transpose --store STORE

Expected time on two cores: 1.7 minutes for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0072 and 0.0103; precision@10 by class
0.923 and 0.764. `docs/study` compares all recipes.
"""

from training.recipe import Recipe

RECIPE = Recipe(
    architecture="pooling",
    size=28,
    channels=1,
    dimension=64,
    distance="euclidean",
    epochs=6,
    batch_size=128,
    learning_rate=0.002,
    options={
        "filters": "16-32-32",
        "repeats": 1,
        "pooling": "max",
        "decoder": "transpose",
        "fully_connected": False,
        "dropout": 0.0,
    },
)
