"""Adds losses to the one that is fitted, as layers on the code: so they work with every architecture."""

import keras
from keras import ops


class Spread(keras.layers.Layer):
    """Passes unit-length vectors [batch, dimension] on, and adds the mean squared cosine between the photos of a batch.

    An autoencoder alone puts most photos into the few directions of its largest components, where everything
    resembles everything; the penalty makes it use the others (the uniformity of Wang and Isola, 2020, arXiv
    2005.10242, in its simplest form). Validation losses do not contain it.
    """

    def __init__(self, weight: float, **settings):
        super().__init__(**settings)
        self.weight = weight

    def call(self, vectors, training=False):
        """Returns the vectors unchanged."""
        # With the penalty in it, validation losses of trainings with other weights could not be compared.
        if training and self.weight:
            cosines = ops.matmul(vectors, ops.transpose(vectors))
            self.add_loss(self.weight * ops.mean(ops.square(cosines)))
        return vectors


class Sampling(keras.layers.Layer):
    """Draws vectors from normal distributions in training, and passes their means on otherwise.

    Adds the mean divergence (Kullback–Leibler) of the distributions from the standard normal one, times `weight`
    (Kingma and Welling, 2013, arXiv 1312.6114, appendix B). Validation losses do not contain it.
    """

    def __init__(self, weight: float, **settings):
        super().__init__(**settings)
        self.weight = weight
        self.seeds = keras.random.SeedGenerator()

    def call(self, heads, training=False):
        """heads: mean and logarithm of the variance, each float32 [batch, dimension]; returns vectors of that shape."""
        mean, log_variance = heads
        if not training:
            return mean
        divergence = 0.5 * ops.sum(ops.square(mean) + ops.exp(log_variance) - 1 - log_variance, axis=-1)
        self.add_loss(self.weight * ops.mean(divergence))
        return mean + ops.exp(0.5 * log_variance) * keras.random.normal(ops.shape(mean), seed=self.seeds)


def sampled(features, *, dimension: int, beta: float, pixels: int):
    """Maps features [batch, n] by two parallel dense heads to a sample: float32 [batch, dimension].

    The reconstruction loss is a mean over `pixels`, the divergence a sum over the photo: dividing by `pixels` makes
    `beta` the weight of the evidence lower bound.
    """
    # The exponential of a logarithm above 11 overflows half precision: both heads stay in single precision.
    mean = keras.layers.Dense(dimension, dtype="float32", name="mean")(features)
    log_variance = keras.layers.Dense(dimension, dtype="float32", name="log_variance")(features)
    return Sampling(beta / pixels, dtype="float32", name="sampling")([mean, log_variance])
