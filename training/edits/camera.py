"""Takes a photo again: prints it in dots, scans it, photographs the screen that shows it.

Every edit takes uint8 [height, width, 1 or 3], returns a new array of the same type and channels, and gives the same
for the same parameters. A parameter out of its bounds raises UsageError.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from foundation.checks import require_range
from training.edits.lettering import Colour
from training.edits.opencv import with_channels
from training.edits.paint import blank, paint, soft_ellipse
from training.edits.tone import grey


def halftone(photo: np.ndarray, *, cell: float, degrees: float, paper: Colour, ink: Colour) -> np.ndarray:
    """Returns the photo's brightness as dots of ink on paper, one dot in each cell of 2 to 40 pixels, turned."""
    coverage = 255 - _dots(grey(photo)[..., 0], cell=cell, degrees=degrees)
    height, width, channels = photo.shape
    printed = blank(height, width, channels, paper)
    paint(printed, coverage, top=0, left=0, colour=ink)
    return printed


def print_in_colour(photo: np.ndarray, *, cell: float, degrees: float) -> np.ndarray:
    """Returns the photo with each channel in dots of its own, turned by 30 degrees more than the one before."""
    require_range("cell", cell, 2, 40)
    printed = [
        _dots(np.ascontiguousarray(photo[..., channel]), cell=cell, degrees=degrees + 30 * channel)
        for channel in range(photo.shape[2])
    ]
    return np.stack(printed, axis=2)


def _dots(light: np.ndarray, *, cell: float, degrees: float) -> np.ndarray:
    """Returns uint8 [height, width]: 255 for paper, 0 for ink, the dots' edges smoothed over about a pixel."""
    require_range("cell", cell, 2, 40)
    height, width = light.shape
    across, down = (2 * np.pi / cell * part for part in (np.cos(np.radians(degrees)), np.sin(np.radians(degrees))))
    screen = plane_wave(height, width, across=across, down=down) + plane_wave(height, width, across=-down, down=across)
    # An edge takes a few levels of light; the screen leaves those free at both ends, so that black and white stay.
    steepness = cell + 1
    threshold = 127.5 + screen * (63.75 * (1 - 1 / steepness))
    return np.clip((light - threshold) * steepness + 127.5, 0, 255).astype(np.uint8)


def plane_wave(height: int, width: int, *, across: float, down: float, phase: float = 0) -> np.ndarray:
    """Returns float32 [height, width], cos(across x + down y + phase), in radians per pixel.

    The sum inside the cosine is split, so that cosines are taken of a row and a column and not of every pixel.
    """
    row = across * np.arange(width) + phase
    column = down * np.arange(height)[:, np.newaxis]
    cosine = np.cos(column).astype(np.float32) * np.cos(row).astype(np.float32)
    return cosine - np.sin(column).astype(np.float32) * np.sin(row).astype(np.float32)


def add_moire(photo: np.ndarray, *, across: float, down: float, strength: float) -> np.ndarray:
    """Returns the photo under stripes of light and dark, as the pixels of a screen and of a camera make together.

    `across` and `down` are waves over the photo's width and height, -100 to 100, `strength` is 0 to 0.5 of the light.
    Each channel has its own phase, so that the stripes are coloured.
    """
    require_range("across", across, -100, 100)
    require_range("down", down, -100, 100)
    require_range("strength", strength, 0, 0.5)
    height, width, channels = photo.shape
    turn = {"across": 2 * np.pi * across / width, "down": 2 * np.pi * down / height}
    waves = [plane_wave(height, width, **turn, phase=0.9 * channel) for channel in range(channels)]
    gain = np.stack(waves, axis=2) * np.float32(strength) + np.float32(1)
    return with_channels(cv2.multiply(photo, gain, dtype=cv2.CV_8U))


def add_glare(photo: np.ndarray, *, down: float, right: float, size: float, strength: float) -> np.ndarray:
    """Returns the photo with a white reflection about a place in shares of it, -0.5 to 1.5, `size` 0.05 to 3 as large.

    In its middle 0 to 1 of the photo is gone.
    """
    for name, value, lowest, highest in (
        ("down", down, -0.5, 1.5),
        ("right", right, -0.5, 1.5),
        ("size", size, 0.05, 3),
    ):
        require_range(name, value, lowest, highest)
    require_range("strength", strength, 0, 1)
    height, width = (max(1, round(side * size)) for side in photo.shape[:2])
    lit = photo.copy()
    top, left = round(down * photo.shape[0] - height / 2), round(right * photo.shape[1] - width / 2)
    mask = soft_ellipse(height, width, softness=1)
    paint(lit, mask, top=top, left=left, colour=(255, 255, 250), opacity=strength)
    return lit


def on_table(photo: np.ndarray, *, corners: Sequence[Sequence[float]], surface: np.ndarray, rim: float) -> np.ndarray:
    """Returns the photo as a screen or print that lies on a surface and is seen from the side.

    `corners` are those of the photo in the picture, upper left, upper right, lower right, lower left, (x, y) in shares
    of the picture, -1 to 2; the picture has the photo's size. `surface` is uint8 [any, any, channels]; `rim`, 0 to 0.2,
    is a dark bezel as a share of the photo's shorter side.
    """
    for corner in corners:
        for value in corner:
            require_range("corners", value, -1, 2)
    require_range("rim", rim, 0, 0.2)
    height, width = photo.shape[:2]
    edge = round(rim * min(height, width))
    framed = with_channels(cv2.copyMakeBorder(photo, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(18, 18, 20)))
    size = np.array([width, height], np.float32)
    before = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * (size + 2 * edge)
    matrix = cv2.getPerspectiveTransform(before, np.array(corners, np.float32) * size)
    picture = with_channels(cv2.resize(surface, (width, height), interpolation=cv2.INTER_LINEAR))
    return with_channels(
        cv2.warpPerspective(framed, matrix, (width, height), dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    )


def scan(photo: np.ndarray, *, shadow: float, dust: int, seed: int) -> np.ndarray:
    """Returns the photo as a copier shows it: darker towards one side by 0 to 1, with 0 to 500 specks of dust."""
    require_range("shadow", shadow, 0, 1)
    require_range("dust", dust, 0, 500)
    height, width = photo.shape[:2]
    light = np.tile(np.linspace(255, 255 * (1 - shadow), width).astype(np.uint8), (height, 1))
    scanned = with_channels(cv2.multiply(photo, cv2.merge([light] * photo.shape[2]), scale=1 / 255))
    specks = np.random.default_rng(seed).random((dust, 2)) * (height, width)
    scanned[tuple(specks.astype(int).T)] = 40
    return scanned
