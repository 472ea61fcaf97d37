"""The axes that descriptors are compressed on: principal ones, the same for the same photos, in the package's form."""

from pathlib import Path

import numpy as np
import pytest

from foundation.errors import InputNotFoundError
from foundation.photos.compressed_features import PROJECTION_FILE
from tests.photos import jpeg, noise, write_archive
from training import projection


def test_the_axes_are_the_widest_and_at_right_angles():
    """Descriptors that vary along few directions are told apart by these, whichever way an axis points."""
    generator = np.random.default_rng(0)
    directions = np.linalg.qr(generator.normal(size=(128, 3)))[0]
    spread = generator.normal(size=(4_000, 3)) * (30, 20, 10) @ directions.T
    descriptors = np.clip(np.rint(60 + spread + generator.normal(0, 0.5, (4_000, 128))), 0, 255).astype(np.uint8)
    mean, axes = projection.fit_projection(descriptors)
    np.testing.assert_allclose(axes.T @ axes, np.eye(64), atol=1e-5)
    np.testing.assert_allclose(mean, descriptors.mean(axis=0), atol=1e-3)
    assert np.abs((axes[:, :3] * directions).sum(axis=0)).min() > 0.95
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(64)] > 0).all()


def test_an_archive_gives_a_file_as_the_package_has(tmp_path: Path):
    """Rejects are passed over, and the same photos give the same axes."""
    (tmp_path / "archive").mkdir()
    for seed in range(12):
        (tmp_path / "archive" / f"{seed}.jpg").write_bytes(jpeg(noise(seed)))
    (tmp_path / "archive" / "broken.jpg").write_bytes(b"<html>")
    for name in ("a.npz", "b.npz"):
        projection.main(str(tmp_path / "archive"), tmp_path / name)
    with np.load(tmp_path / "a.npz") as one, np.load(tmp_path / "b.npz") as other, np.load(PROJECTION_FILE) as shipped:
        for name in ("mean", "axes"):
            np.testing.assert_array_equal(one[name], other[name])
            assert (one[name].shape, one[name].dtype) == (shipped[name].shape, shipped[name].dtype)


def test_too_few_features_are_refused(tmp_path: Path):
    """Smooth photos have next to none: axes of them would mean nothing."""
    write_archive(tmp_path / "archive", photos=2)
    with pytest.raises(InputNotFoundError, match=r"local features; expected 1,000 and more"):
        projection.main(str(tmp_path / "archive"), tmp_path / "a.npz")
    assert not (tmp_path / "a.npz").exists()
