"""Devices and precision: one place decides, and puts back what it changed."""

from types import SimpleNamespace

import keras
import pytest

from foundation.errors import UsageError
from training.fitting.devices import computing, gpus


@pytest.mark.parametrize(("mixed_precision", "policy"), [(True, "mixed_float16"), (False, "float32")])
def test_precision_holds_inside_only(mixed_precision, policy):
    """Layers built inside follow the policy; afterwards it is as before, also after an error."""
    before = keras.config.dtype_policy()

    def fail_inside():
        with computing(mixed_precision=mixed_precision):
            raise RuntimeError(keras.config.dtype_policy().name)

    with pytest.raises(RuntimeError, match=policy):
        fail_inside()
    assert keras.config.dtype_policy() == before


def test_unknown_device_lists_the_valid_ones():
    """A GPU that does not exist is a usage error, not a training on something else."""
    with pytest.raises(UsageError, match=r"no device 'GPU:99'; expected one of: .*CPU:0"), computing(["GPU:99"]):
        pass


def test_a_gpu_that_is_in_use_already_is_used_as_it_is(monkeypatch):
    """TensorFlow refuses to change how its memory grows then; that is no reason not to train."""
    import tensorflow as tf

    def refuse(*_):
        raise RuntimeError("Physical devices cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["a GPU"])
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda _kind: [SimpleNamespace(name="/device:GPU:0")])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    assert gpus() == ["/device:GPU:0"]


def test_two_devices_train_one_encoder(photo_folder, tmp_path, run_python):
    """A mirrored training over two logical devices publishes an encoder like any other."""
    output = run_python(f"""
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pathlib import Path
from foundation.encoder import load
from foundation.store.files import Store
from training.train import TrainOptions, train
from tests.conftest import TINY
options = TrainOptions(
    source={str(photo_folder)!r}, store={str(tmp_path / "store")!r}, work_dir=Path({str(tmp_path / "work")!r}),
    overrides=TINY, devices=("CPU:0", "CPU:1"),
)
encoder_id = train(options)
print(load(Store(options.store), encoder_id).spec.training["best_epoch"])
""")
    assert output.splitlines()[-1] in ("1", "2")


@pytest.mark.parametrize("devices", [("0",), (":0",), ("CPU:9",)])
def test_parts_of_a_device_name_are_refused(devices):
    """A device is named as TYPE:NUMBER, or in full."""
    with pytest.raises(UsageError, match=r"no device .*; expected one of: .*CPU:0"), computing(devices):
        pass


def test_a_device_named_twice_is_refused():
    """Two copies of a model on one device would be no gain, and the backend fails on it."""
    with pytest.raises(UsageError, match="named twice in CPU:0, CPU:0"), computing(("CPU:0", "CPU:0")):
        pass


def test_one_gpu_needs_no_strategy(monkeypatch):
    """Keras compiles nothing with XLA under one, and TensorFlow computes on the first GPU by itself."""
    import tensorflow as tf

    names = ["/device:GPU:0", "/device:GPU:1"]
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: [])
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda _kind=None: [SimpleNamespace(name=name) for name in names]
    )
    with computing([names[0]], mixed_precision=False):
        assert not tf.distribute.has_strategy()


def test_a_device_that_is_not_the_first_gpu_is_chosen_by_a_strategy():
    """What is built inside lies there, and not where TensorFlow would put it."""
    import tensorflow as tf

    with computing(["CPU:0"], mixed_precision=False):
        assert tf.distribute.has_strategy()
