"""Losses beside the reconstruction, as layers: they know the code, and work with every architecture."""

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
        if training and self.weight:
            cosines = ops.matmul(vectors, ops.transpose(vectors))
            self.add_loss(self.weight * ops.mean(ops.square(cosines)))
        return vectors
