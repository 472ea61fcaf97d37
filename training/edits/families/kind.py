"""Defines a kind of edit: its name, how its parameters are drawn, and the verdict that is right for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

# uint8 [height, width, 3] to uint8 [other height, other width, 3]; the same photo always gives the same.
Edit = Callable[[np.ndarray], np.ndarray]
Draw = Callable[[np.random.Generator, Sequence[np.ndarray]], Edit]


@dataclass(frozen=True)
class Kind:
    """One thing that people do to photos.

    `draw` takes a generator and other photos, uint8 [height, width, 3], which it needs where `needs_others` says so.
    `verdict` is one of DESIGN.md's: `embedded` where something stands around the photo, `overlaid` where it covers a
    part of it, `reencoded` where only detail is lost or gained, `recoloured` where all values change, `edited` where
    the picture itself is another.
    """

    name: str
    draw: Draw
    verdict: str
    needs_others: bool = False


def in_order(*edits: Edit) -> Edit:
    """Returns the edit that makes these, one after the other."""
    return partial(_apply, edits)


def _apply(edits: Sequence[Edit], photo: np.ndarray) -> np.ndarray:
    for edit in edits:
        photo = edit(photo)
    return photo
