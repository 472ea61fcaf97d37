"""Corrupts training photos at random, so that an encoder learns to see through it."""

from collections.abc import Iterable
from functools import partial

import numpy as np

from training.edits.degrade import blur
from training.edits.overlay import overlay_box


def corrupt(photos: np.ndarray, name: str, generator: np.random.Generator) -> np.ndarray:
    """Returns the photos corrupted, uint8 [batch, size, size, channels]; the names are `training.choices.CORRUPTIONS`.

    `none` returns them as they are, every other name a new array. What is drawn, in which order and how it is rounded
    decides what a seed trains: a change here changes every encoder that is trained after it.
    """
    return _CORRUPTIONS[name](photos, generator)


def _none(photos: np.ndarray, _generator: np.random.Generator) -> np.ndarray:
    return photos


# The noise of trainings is not that of `degrade.add_noise`: it is drawn for a whole batch in one stream of float32, and
# its values lose their fraction instead of being rounded, as when the published encoders were trained. Sums are made in
# place, because fresh arrays for a batch of floats cost more time than the arithmetic.


def _mild(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Applies what happens to photos on the web: other brightness and contrast, a little noise, a caption bar."""
    shape = (len(photos), 1, 1, 1)
    brightness = generator.uniform(-40, 40, shape).astype(np.float32)
    contrast = generator.uniform(0.75, 1.3, shape).astype(np.float32)
    noise = generator.standard_normal(photos.shape, np.float32)
    noise *= generator.uniform(0, 8, shape).astype(np.float32)
    # Contrast is about middle grey, so that it leaves the brightness of most photos alone.
    damaged = photos - np.float32(128)
    damaged *= contrast
    damaged += 128 + brightness
    damaged += noise
    damaged = np.clip(damaged, 0, 255, out=damaged).astype(np.uint8)
    for index in np.flatnonzero(generator.random(len(photos)) < 0.5):
        damaged[index] = _draw_bar(damaged[index].shape, generator)(damaged[index])
    return damaged


def _draw_bar(shape: tuple[int, ...], generator: np.random.Generator) -> partial[np.ndarray]:
    """Draws one bar or box of any colour: up to a fifth of the height, a fifth of the width to all of it."""
    size, _, channels = shape
    height = int(generator.integers(size // 16 + 1, size // 5 + 2))
    width = int(generator.integers(size // 5 + 1, size + 1))
    top, left = _draw_place(size, height, width, generator)
    colour = generator.integers(0, 256, channels).tolist()
    return partial(overlay_box, top=top, left=left, height=height, width=width, colour=colour)


def _noise(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Adds Gaussian noise of up to 0.4 of the range from black to white."""
    deviation = generator.uniform(0, 102, (len(photos), 1, 1, 1)).astype(np.float32)
    noisy = generator.standard_normal(photos.shape, np.float32)
    noisy *= deviation
    noisy += photos
    return np.clip(noisy, 0, 255, out=noisy).astype(np.uint8)


def _masks(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    return _edit_each(photos, (_draw_mask(len(photo), generator) for photo in photos))


def _draw_mask(size: int, generator: np.random.Generator) -> partial[np.ndarray]:
    """Draws one black or white rectangle, each of its sides an eighth to a half of the photo's."""
    height, width = generator.integers(size // 8, size // 2 + 1, 2).tolist()
    top, left = _draw_place(size, height, width, generator)
    colour = (255 * int(generator.integers(2)),)
    return partial(overlay_box, top=top, left=left, height=height, width=width, colour=colour)


def _draw_place(size: int, height: int, width: int, generator: np.random.Generator) -> tuple[int, int]:
    """Draws (top, left) of a box of that height and width that lies inside a photo of that side."""
    return int(generator.integers(0, size - height + 1)), int(generator.integers(0, size - width + 1))


def _blur(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Applies a Gaussian blur of up to a fourteenth of the side."""
    deviations = generator.uniform(0.01, photos.shape[1] / 14, len(photos)).tolist()
    return _edit_each(photos, (partial(blur, deviation=deviation) for deviation in deviations))


def _edit_each(photos: np.ndarray, edits: Iterable[partial[np.ndarray]]) -> np.ndarray:
    """Returns the photos, each after its own edit; the edits keep their shape."""
    edited = np.empty_like(photos)
    for number, edit in enumerate(edits):
        edited[number] = edit(photos[number])
    return edited


def _mixed(photos: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Applies noise to about a third of the photos, masks to another, blur to the rest."""
    damaged = photos.copy()
    kinds = generator.integers(0, 3, len(photos))
    for kind, damage in enumerate((_noise, _masks, _blur)):
        chosen = np.flatnonzero(kinds == kind)
        if len(chosen):
            damaged[chosen] = damage(photos[chosen], generator)
    return damaged


_CORRUPTIONS = {"none": _none, "mild": _mild, "noise": _noise, "masks": _masks, "blur": _blur, "mixed": _mixed}
