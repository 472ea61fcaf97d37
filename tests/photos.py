"""Small photos for tests: smooth random scenes, so that no two resemble each other."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def scene(seed: int, *, width: int = 96, height: int = 64) -> np.ndarray:
    """Returns uint8 [height, width, 3]: a few blurred blobs of colour."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def noise(seed: int, *, width: int = 200, height: int = 150) -> np.ndarray:
    """Returns uint8 [height, width, 3]: blurred noise, with corners everywhere that local features are found at."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def jpeg(pixels: np.ndarray, *, quality: int = 92) -> bytes:
    """Returns the pixels as a JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return file.getvalue()


def write_archive(
    folder: Path, *, photos: int = 10, first_seed: int = 0, picture: Callable[[int], np.ndarray] = scene
) -> list[Path]:
    """Writes a folder tree of distinct photos, two years deep, and returns their paths in listing order."""
    paths = []
    for number in range(photos):
        path = folder / str(2019 + 2 * number // photos) / f"photo-{number:03d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(picture(first_seed + number)))
        paths.append(path)
    return paths


def write_catalog(path: Path, rows: list[dict[str, str]]) -> Path:
    """Writes a catalog as CSV."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path
