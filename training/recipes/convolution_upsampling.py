"""Convolutions and pooling to a map of 4 × 4 that is the code, convolutions and up-sampling back.

No fully connected layer: the dimension is a multiple of the map's 16 pixels.

    firstseen train --source tfds:mnist --recipe convolution_upsampling --store STORE

Expected time on two cores: 76 seconds to 78 seconds for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0070 and 0.0107; precision@10 by class
0.915 and 0.770. `docs/study` compares all recipes.
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
        "decoder": "upsampling",
        "fully_connected": False,
        "dropout": 0.0,
    },
)
