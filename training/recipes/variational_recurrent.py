"""Variational autoencoder, recurrent: a GRU reads the rows of a photo, another writes them from a sample.

    firstseen train --source tfds:mnist --recipe variational_recurrent --store STORE

Expected time on two cores: 96 seconds to 1.7 minutes for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0266 and 0.0183; precision@10 by class
0.844 and 0.732. `docs/study` compares all recipes.
"""

from training.recipe import Recipe

RECIPE = Recipe(
    architecture="variational_recurrent",
    size=28,
    channels=1,
    dimension=64,
    distance="euclidean",
    epochs=6,
    batch_size=128,
    learning_rate=0.003,
    loss="binary_crossentropy",
    options={"units": 128, "beta": 1.0},
)
