"""Tells whether TensorFlow would compute on a GPU here, without importing it."""

import ctypes
from contextlib import suppress
from importlib import metadata

# The name of NVIDIA's driver on Linux, WSL included: what every program for its GPUs loads first.
DRIVER = "libcuda.so.1"


def is_gpu_usable() -> bool:
    """Returns whether there is a GPU, visible to this process, and a TensorFlow that computes on it.

    `CUDA_VISIBLE_DEVICES=` hides every GPU, from this as from any other program.
    """
    # The driver is asked first: it takes no time where there is none, and looking through distributions does.
    return _count_gpus() > 0 and _is_built_for_gpus()


def _is_built_for_gpus() -> bool:
    # `tensorflow-cpu`, the other distribution, knows no GPU, and computes slower on the CPU than LiteRT does.
    with suppress(metadata.PackageNotFoundError):
        return bool(metadata.version("tensorflow"))
    return False


def _count_gpus() -> int:
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    # Both return 0 for success; a driver without a GPU, or with all of them hidden, fails at the first.
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value
