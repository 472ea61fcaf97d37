"""Merges what several segments found: the k nearest distinct contents, as arrays and not one object per hit."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Nearest(NamedTuple):
    """Contents near some queries, best first: similarities float32 [queries, k], contents S32 [queries, k].

    Where a query has fewer neighbours, the similarity is -inf and the content means nothing.
    """

    similarities: np.ndarray
    contents: np.ndarray


def merge(found: Sequence[Nearest], k: int) -> Nearest:
    """Returns the k nearest distinct contents over all segments; equally near ones come in the order of their hash.

    A content that lies in several segments, or comes twice with different similarities, counts once, with its best.
    """
    similarities = np.concatenate([one.similarities for one in found], axis=1)
    contents = np.concatenate([one.contents for one in found], axis=1)
    # Two stable sorts, the lesser key first: by similarity, and within equal ones by hash. If the order of the segments
    # decided, the same question would be answered differently once they were built anew.
    similarities, contents = _ordered(similarities, contents, np.argsort(contents, axis=1, kind="stable"))
    similarities, contents = _ordered(similarities, contents, np.argsort(-similarities, axis=1, kind="stable"))
    # A repeated content is pushed to the end and not cut out, since every row of an array has the same length.
    similarities = np.where(_came_before(contents), -np.inf, similarities)
    best = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return Nearest(*_ordered(similarities, contents, best))


def _ordered(similarities: np.ndarray, contents: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.take_along_axis(similarities, order, axis=1), np.take_along_axis(contents, order, axis=1)


def _came_before(contents: np.ndarray) -> np.ndarray:
    """Returns whether the same content stands further left in its row: bool [queries, columns]."""
    # A stable sort puts equal contents side by side, and leaves the leftmost of them first.
    order = np.argsort(contents, axis=1, kind="stable")
    ordered = np.take_along_axis(contents, order, axis=1)
    again = np.zeros(contents.shape, bool)
    again[:, 1:] = ordered[:, 1:] == ordered[:, :-1]
    came_before = np.empty_like(again)
    np.put_along_axis(came_before, order, again, axis=1)
    return came_before
