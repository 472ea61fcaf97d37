"""Pools a map to one number per channel, between its mean and its maximum: how near to which is learnt."""

import keras
from keras import ops

# Below this the power's derivative is lost in single precision.
SMALLEST = 1e-6


class GeneralisedMean(keras.layers.Layer):
    """Maps [batch, height, width, channels] to [batch, channels]: the mean of the p-th powers, to the power 1/p.

    Radenović et al., Fine-tuning CNN Image Retrieval with No Human Annotation (2018), section 3.2. One p for all
    channels begins at 3 and is learnt. A plain mean would let what was put around a photo, such as the page of a
    screenshot, outweigh the photo. Values below zero count as zero.
    """

    def build(self, _input_shape):
        """Makes p."""
        self.power = self.add_weight(shape=(), initializer=keras.initializers.Constant(3.0), name="power")

    def call(self, features):
        """Returns float32 [batch, channels]."""
        # A training must not drive p to where the mean becomes another mean: at 1 it is the plain one.
        power = ops.maximum(self.power, 1.0)
        raised = ops.power(ops.maximum(features, SMALLEST), power)
        return ops.power(ops.mean(raised, axis=(1, 2)), 1 / power)
