"""Whether there is a GPU for TensorFlow: asked of the driver, not of TensorFlow."""

from importlib import metadata

import pytest

from foundation.models import gpu


class Driver:
    """A driver that finds so many GPUs, or that fails with an error number."""

    def __init__(self, gpus: int, error: int = 0):
        self.gpus = gpus
        self.error = error

    def cuInit(self, _flags):  # noqa: N802 -- the name is NVIDIA's
        """Returns the error number."""
        return self.error

    def cuDeviceGetCount(self, count):  # noqa: N802
        """Writes the number of GPUs to where it was asked to."""
        count._obj.value = self.gpus
        return 0


@pytest.fixture
def distributions(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The distributions that are installed, as the test says."""
    installed = {"tensorflow"}

    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return "2.20.0"

    monkeypatch.setattr(metadata, "version", version)
    return installed


@pytest.mark.parametrize(
    ("driver", "expected"), [(Driver(1), True), (Driver(4), True), (Driver(0), False), (Driver(1, error=100), False)]
)
def test_a_gpu_counts_if_the_driver_finds_it(distributions, monkeypatch, driver: Driver, expected: bool) -> None:
    """A driver alone is no GPU: it may find none, or fail, as it does where every GPU is hidden."""
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda _name: driver)
    assert gpu.is_gpu_usable() is expected


def test_without_a_driver_there_is_no_gpu(distributions, monkeypatch) -> None:
    """Most machines have none, and are not asked any further."""
    monkeypatch.setattr(gpu, "DRIVER", "libno-such-driver.so.1")
    assert not gpu.is_gpu_usable()


@pytest.mark.parametrize("installed", [set(), {"tensorflow-cpu"}])
def test_a_tensorflow_for_cpus_alone_uses_no_gpu(distributions, monkeypatch, installed: set[str]) -> None:
    """On a machine with a GPU it would still compute on the CPU, and slower than LiteRT."""
    distributions.clear()
    distributions.update(installed)
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda _name: Driver(1))
    assert not gpu.is_gpu_usable()
