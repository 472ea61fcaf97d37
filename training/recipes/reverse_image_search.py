"""Dense bottleneck of 32 numbers for reverse image search; look up with `--top-k 4`.

    firstseen train --source tfds:mnist --recipe reverse_image_search --store STORE

Expected time on two cores: 19 seconds for 60,000 photos.

Expected score on MNIST and Fashion-MNIST: test error (MSE) 0.0085 and 0.0115; precision@10 by class
0.898 and 0.754. `docs/study` compares all recipes.
"""

from training.recipe import Recipe

RECIPE = Recipe(
    architecture="dense",
    size=28,
    channels=1,
    dimension=32,
    distance="euclidean",
    epochs=12,
    batch_size=128,
    learning_rate=0.002,
    options={"hidden": "128-64"},
)
