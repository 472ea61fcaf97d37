"""Photos of a study that nobody took: bright bands on noise, each class at its own height."""

import io
import tarfile

import numpy as np

from evaluation.study.photos import Photos
from tests.photos import jpeg

CLASSES = np.array(["top", "upper", "lower", "bottom"])


def made_bands(count: int, *, channels: int = 1, size: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Returns photos, uint8 [count, size, size, channels], and their classes, int [count]."""
    labels = np.arange(count) % len(CLASSES)
    photos = np.random.default_rng(seed).integers(0, 120, (count, size, size, channels), np.uint8)
    band = size // len(CLASSES)
    for photo, label in zip(photos, labels, strict=True):
        photo[band * label : band * (label + 1)] += 130
    return photos, labels


def made_photos(*, channels: int = 1, test: int = 24) -> Photos:
    """Returns the photos of a small data set."""
    (training, training_labels), (validation, _), (asked, test_labels) = (
        made_bands(count, channels=channels, seed=seed) for seed, count in enumerate((40, 8, test))
    )
    return Photos(training, validation, asked, training_labels, test_labels, CLASSES)


def write_shard(path, photos: int, *, seed: int) -> str:
    """A tar shard of photos of four classes: each a bright band at its own height, a little different each time."""
    generator = np.random.default_rng(seed)
    with tarfile.open(path, "w") as tar:
        for number in range(photos):
            label = number % 4
            photo = generator.integers(0, 120, (16, 16, 3), np.uint8)
            photo[4 * label : 4 * label + 4] += 130
            for name, data in ((f"{number}.jpg", jpeg(photo)), (f"{number}.cls", str(label).encode())):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return str(path)
