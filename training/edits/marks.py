"""Draws logos, stamps, emojis and arrows as stickers: pictures with a mask, to be laid over a photo."""

from typing import NamedTuple

import cv2
import numpy as np

from foundation.checks import require_choice, require_range
from training.edits.lettering import Colour
from training.edits.opencv import with_channels
from training.edits.paint import paint, paste, scaled
from training.edits.typefaces import render

LOGOS = ("disc", "ring", "square", "shield", "words")
EMOJIS = ("smile", "cry", "angry", "heart", "star", "fire")
# Stickers are drawn at this size and shrunk, which smooths their edges.
SIDE = 96


class Sticker(NamedTuple):
    """Colours, uint8 [height, width, 3], and where they cover, uint8 [height, width]."""

    colours: np.ndarray
    mask: np.ndarray


def lay(photo: np.ndarray, sticker: Sticker, *, down: float, right: float, size: float, opacity: float) -> np.ndarray:
    """Returns the photo with a sticker whose middle is at shares (down, right) of it, 0 to 1.

    `size`, 0.01 to 2, is the sticker's longer side as a share of the photo's shorter one; `opacity` is 0 to 1.
    """
    for name, value, highest in (("down", down, 1), ("right", right, 1), ("size", size, 2), ("opacity", opacity, 1)):
        require_range(name, value, 0.01 if name == "size" else 0, highest)
    laid = photo.copy()
    share = size * min(photo.shape[:2]) / max(sticker.mask.shape)
    height, width = (max(1, round(side * share)) for side in sticker.mask.shape)
    colours = scaled(sticker.colours, height, width)
    if photo.shape[2] == 1:
        colours = with_channels(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY))
    mask = cv2.convertScaleAbs(scaled(with_channels(sticker.mask), height, width), alpha=opacity).reshape(height, width)
    top, left = round(down * photo.shape[0] - height / 2), round(right * photo.shape[1] - width / 2)
    paste(laid, colours, top=top, left=left, mask=mask)
    return laid


def logo(shape: str, *, text: str, colour: Colour, ink: Colour) -> Sticker:
    """Returns a made-up sign: a shape of `LOGOS` with some letters in it, or the letters alone."""
    require_choice("shape", shape, LOGOS)
    letters = render(text, height=SIDE // 2, typeface="narrow" if len(text) > 2 else "bold")
    width = max(SIDE, letters.shape[1] + SIDE // 3) if shape in ("square", "words") else SIDE
    mask = np.zeros((SIDE if shape != "words" else SIDE // 2, width), np.uint8)
    colours = np.full((*mask.shape, 3), ink if shape == "words" else colour, np.uint8)
    _logo_shape(mask, shape)
    room = round(mask.shape[1] * 0.75)
    if letters.shape[1] > room:
        letters = scaled(with_channels(letters), letters.shape[0] * room // letters.shape[1], room)[..., 0]
    place = {"top": (mask.shape[0] - letters.shape[0]) // 2, "left": (width - letters.shape[1]) // 2}
    paint(colours, letters, colour=ink, **place)
    paint(mask[:, :, np.newaxis], letters, colour=(255, 255, 255), **place)
    return Sticker(colours, mask)


def _logo_shape(mask: np.ndarray, shape: str) -> None:
    half = SIDE // 2
    if shape == "disc":
        cv2.circle(mask, (half, half), half - 1, 255, -1, cv2.LINE_AA)
    elif shape == "ring":
        cv2.circle(mask, (half, half), half - 6, 255, 8, cv2.LINE_AA)
    elif shape == "square":
        mask[2:-2, 2:-2] = 255
    elif shape == "shield":
        points = [(4, 4), (SIDE - 4, 4), (SIDE - 4, half), (half, SIDE - 2), (4, half)]
        cv2.fillPoly(mask, [np.array(points)], 255, cv2.LINE_AA)


def stamp(text: str, *, colour: Colour, degrees: float, typeface: str = "bold") -> Sticker:
    """Returns words in a frame, turned counter-clockwise, as fact checkers stamp them across a photo."""
    letters = render(text, height=SIDE // 2, typeface=typeface)
    mask = cv2.copyMakeBorder(letters, 8, 8, 14, 14, cv2.BORDER_CONSTANT)
    cv2.rectangle(mask, (2, 2), (mask.shape[1] - 3, mask.shape[0] - 3), 255, 4)
    return turned(Sticker(np.full((*mask.shape, 3), colour, np.uint8), mask), degrees=degrees)


def turned(sticker: Sticker, *, degrees: float) -> Sticker:
    """Returns the sticker turned counter-clockwise, with room for its corners; its colours must be one colour."""
    height, width = sticker.mask.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    mask = cv2.warpAffine(sticker.mask, matrix, size)
    return Sticker(cv2.warpAffine(sticker.colours, matrix, size, borderMode=cv2.BORDER_REPLICATE), mask)


def emoji(name: str) -> Sticker:
    """Returns one of `EMOJIS`."""
    require_choice("name", name, EMOJIS)
    colours, mask = np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    if name in ("smile", "cry", "angry"):
        _face(colours, mask, name)
    else:
        colour = {"heart": (225, 30, 60), "star": (250, 200, 30), "fire": (245, 110, 20)}[name]
        colours[:] = colour
        cv2.fillPoly(mask, [_outline(name)], 255, cv2.LINE_AA)
    return Sticker(colours, mask)


def _face(colours: np.ndarray, mask: np.ndarray, name: str) -> None:
    half, dark = SIDE // 2, (70, 40, 10)
    cv2.circle(mask, (half, half), half - 2, 255, -1, cv2.LINE_AA)
    colours[:] = (235, 80, 50) if name == "angry" else (255, 205, 60)
    for x in (half - 17, half + 17):
        cv2.ellipse(colours, (x, half - 12), (6, 9), 0, 0, 360, dark, -1, cv2.LINE_AA)
        if name == "cry":
            cv2.ellipse(colours, (x, half + 14), (5, 14), 0, 0, 360, (80, 160, 250), -1, cv2.LINE_AA)
        if name == "angry":
            cv2.line(
                colours, (x - 10, half - 26), (x + 10, half - 26 + (10 if x < half else -10)), dark, 5, cv2.LINE_AA
            )
    middle, angles = ((half, half + 8), (0, 180)) if name == "smile" else ((half, half + 32), (180, 360))
    cv2.ellipse(colours, middle, (24, 20), 0, *angles, dark, 6, cv2.LINE_AA)


def _outline(name: str) -> np.ndarray:
    """Returns the corners of a heart, a star or a flame, int [n, 2]."""
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    if name == "heart":
        x = 16 * np.sin(turn) ** 3
        y = -13 * np.cos(turn) + 5 * np.cos(2 * turn) + 2 * np.cos(3 * turn) + np.cos(4 * turn)
        return np.rint(np.stack([x, y], axis=1) * 2.7 + SIDE / 2).astype(int)
    if name == "star":
        turn = np.linspace(0, 2 * np.pi, 10, endpoint=False)
        radius = np.where(np.arange(10) % 2, 19, 46)
    else:
        radius = 30 + 14 * np.maximum(0, np.cos(turn)) + 6 * np.cos(5 * turn)
    points = np.stack([radius * np.sin(turn), -radius * np.cos(turn)], axis=1)
    return np.rint(points + SIDE / 2).astype(int)
