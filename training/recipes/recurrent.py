"""Recurrent autoencoder: an LSTM reads the rows of a photo, another writes them from the repeated code.

    firstseen train --source tfds:mnist --recipe recurrent --store STORE

Expected time on two cores: 1.8 minutes to 1.9 minutes for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0134 and 0.0134; precision@10 by class
0.932 and 0.777. `docs/study` compares all recipes.
"""

from training.recipe import Recipe

RECIPE = Recipe(
    architecture="recurrent",
    size=28,
    channels=1,
    dimension=64,
    distance="euclidean",
    epochs=6,
    batch_size=128,
    learning_rate=0.003,
    options={"units": 128},
)
