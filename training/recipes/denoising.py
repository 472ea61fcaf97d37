"""Denoising: the convolutional autoencoder learns to restore photos from noise, masks and blur.

Vincent et al., Extracting and Composing Robust Features with Denoising Autoencoders (2008). Every other recipe does
the same with `--set corruption=mixed`, or with noise, masks or blur alone.

    firstseen train --source tfds:mnist --recipe denoising --store STORE

Expected time on two cores: 82 seconds to 87 seconds for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0052 and 0.0096; precision@10 by class
0.925 and 0.786. `docs/study` compares all recipes.
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
    corruption="mixed",
    options={
        "filters": "16-32",
        "repeats": 1,
        "pooling": "max",
        "decoder": "transpose",
        "fully_connected": True,
        "dropout": 0.1,
    },
)
