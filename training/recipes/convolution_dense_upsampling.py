"""Convolutions, pooling and a fully connected layer to the code; a fully connected layer and up-sampling back.

    firstseen train --source tfds:mnist --recipe convolution_dense_upsampling --store STORE

Expected time on two cores: 61 seconds to 62 seconds for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0035 and 0.0077; precision@10 by class
0.933 and 0.789. `docs/study` compares all recipes.
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
        "filters": "16-32",
        "repeats": 1,
        "pooling": "max",
        "decoder": "upsampling",
        "fully_connected": True,
        "dropout": 0.0,
    },
)
