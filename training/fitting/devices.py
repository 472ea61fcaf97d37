"""Chooses the devices that compute, and their precision; no other file of the training code knows the backend."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress

import keras

from foundation.errors import UsageError


@contextmanager
def computing(devices: Sequence[str] = (), *, mixed_precision: bool | None = None) -> Iterator[None]:
    """Models built inside train on all of `devices` at once; without any, on every GPU, or on the CPU if there is none.

    `mixed_precision` defaults to true on GPUs: half the memory and twice the speed there, slower on a CPU. Raises
    UsageError on a device that does not exist.
    """
    chosen = list(devices) or gpus()
    if mixed_precision is None:
        mixed_precision = any("GPU" in device for device in chosen)
    # The policy holds for the whole process: what is built after a training must not inherit it.
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16" if mixed_precision else "float32")
    try:
        with _scope(chosen):
            yield
    finally:
        keras.config.set_dtype_policy(before)


def gpus() -> list[str]:
    """Returns the names of the GPUs that the backend can use."""
    if keras.config.backend() != "tensorflow":
        return []
    import tensorflow as tf

    for gpu in tf.config.list_physical_devices("GPU"):
        # Otherwise TensorFlow takes all of the memory at once and a second process finds none. It refuses once a GPU
        # is in use, as by an encoder that this process loaded before.
        with suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)
    return [device.name for device in tf.config.list_logical_devices("GPU")]


def _scope(devices: list[str]):
    if not devices or keras.config.backend() != "tensorflow":
        return nullcontext()
    import tensorflow as tf

    known = [device.name for device in tf.config.list_logical_devices()]
    for device in devices:
        if not any(device in (name, name.rpartition("device:")[2]) for name in known):
            raise UsageError(f"no device {device!r}; expected one of: {', '.join(known)}")
    if len(set(devices)) < len(devices):
        raise UsageError(f"a device is named twice in {', '.join(devices)}; expected each once")
    # TensorFlow computes on the first GPU anyway. Without a strategy, Keras has XLA compile the training for it.
    if len(devices) == 1 and devices == gpus()[:1]:
        return nullcontext()
    return tf.distribute.MirroredStrategy(devices).scope()
