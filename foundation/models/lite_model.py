"""Runs a LiteRT model on the CPU: ready in hundredths of a second, where importing TensorFlow takes several."""

import os
import threading

import numpy as np

from foundation.models.rows import Rows
from foundation.stderr import quiet_stderr

# The interpreter keeps memory for the largest batch that it has met. More at a time gain hardly anything on a CPU: 64
# photos of 112 pixels took 146 MB where 16 take 81 MB, and the results of a layer no longer fit into its cache.
MOST_AT_ONCE = 16


class LiteModel:
    """A LiteRT model of one input and one output, as a function of batches; threads that call it take turns.

    `content` is the file. `takes` and `gives` are those of the model. It computes on all cores.
    """

    def __init__(self, content: bytes):
        from ai_edge_litert.interpreter import Interpreter

        # The library says on stderr, from C++, that it uses its own kernels for CPUs.
        with quiet_stderr():
            self._interpreter = Interpreter(model_content=content, num_threads=os.cpu_count())
            self._interpreter.allocate_tensors()
        (takes,), (gives,) = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._input, self._output = takes["index"], gives["index"]
        self.takes, self.gives = _rows(takes), _rows(gives)
        self._photos = 1
        self._turn = threading.Lock()

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Returns what the model gives for a batch [n, …]."""
        parts = [inputs[start : start + MOST_AT_ONCE] for start in range(0, len(inputs), MOST_AT_ONCE)]
        # One interpreter holds the input and the output of one call; it releases the GIL while it computes.
        with self._turn:
            return np.concatenate([self._compute(part) for part in parts])

    def _compute(self, inputs: np.ndarray) -> np.ndarray:
        if len(inputs) != self._photos:
            self._interpreter.resize_tensor_input(self._input, inputs.shape)
            self._interpreter.allocate_tensors()
            self._photos = len(inputs)
        self._interpreter.set_tensor(self._input, inputs)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)


def _rows(details: dict) -> Rows:
    return Rows(details["dtype"], tuple(None if size < 0 else int(size) for size in details["shape_signature"][1:]))
