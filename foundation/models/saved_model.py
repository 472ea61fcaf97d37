"""Runs a SavedModel in TensorFlow, on the GPU where there is one."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foundation.errors import UsageError
from foundation.models.rows import Rows

if TYPE_CHECKING:
    import tensorflow as tf


class SavedModel:
    """A SavedModel of one input and one output, as a function of batches; many threads may call it at once.

    `takes` and `gives` are those of its signature. With `fused`, XLA makes one program of it for each size of batch:
    a GPU then starts few kernels instead of one for each operation. It is a program: check its digest first.
    """

    def __init__(self, directory: Path, *, fused: bool = False):
        try:
            import tensorflow as tf
        except ImportError as error:
            raise UsageError(
                "TensorFlow is not installed; expected it, since a SavedModel without a LiteRT form has to be loaded: "
                "pip install 'firstseen[cpu]'"
            ) from error

        # The signature holds the variables weakly: they live as long as the model that it was taken from.
        self._model = tf.saved_model.load(str(directory))
        # The signature is one traced graph for every batch size: no retracing, and no Python of Keras per call.
        self._signature = self._model.signatures["serving_default"]
        ((self._input, takes),) = self._signature.structured_input_signature[1].items()
        ((self._output, gives),) = self._signature.structured_outputs.items()
        self.takes, self.gives = _rows(takes), _rows(gives)
        self._compute = tf.function(self._signature, jit_compile=True) if fused else self._signature

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Returns what the model gives for a batch [n, …]."""
        import tensorflow as tf

        try:
            return self._run(inputs)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
            if self._compute is self._signature:
                raise
            # XLA lacks some operations, such as resizing with antialiasing: such a model runs as it is.
            self._compute = self._signature
            return self._run(inputs)

    def _run(self, inputs: np.ndarray) -> np.ndarray:
        import tensorflow as tf

        return self._compute(**{self._input: tf.constant(inputs)})[self._output].numpy()


def _rows(spec: "tf.TensorSpec") -> Rows:
    is_known = spec.shape.rank is not None
    return Rows(spec.dtype.as_numpy_dtype, tuple(spec.shape[1:]) if is_known else None)
