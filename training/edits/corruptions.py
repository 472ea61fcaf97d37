"""Damage done to training photos, so that an encoder learns to see through it."""

import cv2
import numpy as np


def corrupt(photos: np.ndarray, name: str, generator: np.random.Generator) -> np.ndarray:
    """Returns the photos damaged at random: uint8 [batch, size, size, channels]; `none` returns them as they are."""
    return _CORRUPTIONS[name](photos, generator)


def _none(photos: np.ndarray, _generator: np.random.Generator) -> np.ndarray:
    return photos


def _mild(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """What a photo goes through on its way round the web: other brightness and contrast, noise, a caption bar."""
    shape = (len(photos), 1, 1, 1)
    brightness = generator.uniform(-40, 40, shape).astype(np.float32)
    contrast = generator.uniform(0.75, 1.3, shape).astype(np.float32)
    noise = generator.standard_normal(photos.shape, np.float32) * generator.uniform(0, 8, shape).astype(np.float32)
    damaged = (photos - np.float32(128)) * contrast + (128 + brightness) + noise
    damaged = np.clip(damaged, 0, 255).astype(np.uint8)
    for index in np.flatnonzero(generator.random(len(photos)) < 0.5):
        _cover(damaged[index], generator)
    return damaged


def _cover(photo: np.ndarray, generator: np.random.Generator) -> None:
    """Paints one bar or box of at most a fifth of the photo, in place."""
    size = len(photo)
    height, width = (
        generator.integers(size // 16 + 1, size // 5 + 2),
        generator.integers(size // 5 + 1, size + 1),
    )
    top, left = generator.integers(0, size - height + 1), generator.integers(0, size - width + 1)
    photo[top : top + height, left : left + width] = generator.integers(0, 256, photo.shape[-1])


def _noise(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Gaussian noise of up to 0.4 of the range from black to white."""
    deviation = generator.uniform(0, 102, (len(photos), 1, 1, 1)).astype(np.float32)
    return np.clip(photos + deviation * generator.standard_normal(photos.shape, np.float32), 0, 255).astype(np.uint8)


def _masks(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """One black or white rectangle per photo, each of its sides up to half of the photo's."""
    size = photos.shape[1]
    damaged = photos.copy()
    for photo in damaged:
        height, width = generator.integers(size // 8, size // 2 + 1, 2)
        top, left = generator.integers(0, size - height + 1), generator.integers(0, size - width + 1)
        photo[top : top + height, left : left + width] = generator.choice((0, 255))
    return damaged


def _blur(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Gaussian blur of up to a fourteenth of the side."""
    deviations = generator.uniform(0.01, photos.shape[1] / 14, len(photos))
    blurred = [cv2.GaussianBlur(photo, (0, 0), deviation) for photo, deviation in zip(photos, deviations, strict=True)]
    return np.stack(blurred).reshape(photos.shape)  # OpenCV drops the axis of a single channel


def _mixed(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Noise for a third of the photos, masks for another, blur for the last."""
    damaged = photos.copy()
    kinds = generator.integers(0, 3, len(photos))
    for kind, damage in enumerate((_noise, _masks, _blur)):
        chosen = np.flatnonzero(kinds == kind)
        if len(chosen):
            damaged[chosen] = damage(photos[chosen], generator)
    return damaged


_CORRUPTIONS = {"none": _none, "mild": _mild, "noise": _noise, "masks": _masks, "blur": _blur, "mixed": _mixed}
