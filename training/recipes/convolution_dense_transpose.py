"""Convolutions, pooling, dropout and a fully connected layer to the code; transpose convolutions back.

`--set pooling=average` takes means instead of the largest values.

    firstseen train --source tfds:mnist --recipe convolution_dense_transpose --store STORE

Expected time on two cores: 78 seconds to 1.9 minutes for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0032 and 0.0073; precision@10 by class
0.929 and 0.787. `docs/study` compares all recipes.
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
        "decoder": "transpose",
        "fully_connected": True,
        "dropout": 0.1,
    },
)
