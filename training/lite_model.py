"""Converts an exported encoder into its form for CPUs, a LiteRT model, with TensorFlow's converter."""

import re
from pathlib import Path

import numpy as np

from foundation.encoder import load_lite_model
from foundation.stderr import quiet_stderr
from foundation.store.encoders import LITE_MODEL


class NotConvertibleError(Exception):
    """An encoder that LiteRT has no operations for; it is used as SavedModel alone."""


def write_lite_model(directory: Path, photos: np.ndarray) -> np.ndarray:
    """Writes the LiteRT form of the SavedModel in `directory` beside it; returns its answers to the photos.

    photos: uint8 [n, size, size, channels]; the answers: float32 [n, dimension]. Raises NotConvertibleError, and leaves
    no file, if the encoder cannot be converted, as recurrent ones, or if what was converted does not run.
    """
    import tensorflow as tf

    path = directory / LITE_MODEL
    try:
        # The converter prints pages about what it cannot convert, some of them from C++.
        with quiet_stderr():
            path.write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(directory)).convert())
        return load_lite_model(path)(photos)
    except OSError:
        raise  # A full disk is no matter of conversion, and passes.
    # The classes are private, and differ by what was wrong: a training of hours is not lost for want of this form.
    except Exception as error:
        path.unlink(missing_ok=True)
        raise NotConvertibleError(_reason(error)) from error


def _reason(error: Exception) -> str:
    if operations := sorted(set(re.findall(r"'tf\.(\w+)' op", str(error)))):
        return f"LiteRT has no operation for this use of {', '.join(operations)}"
    return f"TensorFlow's converter to LiteRT failed: {type(error).__name__}"
