"""Finds the nearest descriptors among those of a segment's photos: in ScaNN trees, or by looking at each of them."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.vectors import exact_neighbours
from serving.search.scann_index import load_searcher
from serving.search.shown import shown_neighbours

# The length of a stored descriptor, whose components are whole numbers.
LENGTH = np.float32(127)
# Components that trees are built of. Descriptors are projected on principal axes, the most telling first: the last
# quarter finds no photo that the others do not, and would cost a quarter of the space and time.
TREE_COMPONENTS = 48
# Descriptors that one thread searches at a time, at least: handing over fewer costs more than it saves.
FEWEST_PER_THREAD = 128
# Of hidden photos so many times the neighbours of a descriptor are passed over at most: a query has thousands of them.
MOST_PASSED_OVER = 32

# Says of places, int64 of any shape, whether they are not to be found: bool.
Hides = Callable[[np.ndarray], np.ndarray]


class Neighbours(NamedTuple):
    """Descriptors near those of a query: places int64 [queries, k], similarities float32 [queries, k], best first.

    A place is the number of a descriptor among all of the segment, or -1 with a similarity of -inf for none.
    """

    places: np.ndarray
    similarities: np.ndarray


class DescriptorIndex:
    """The descriptors of a segment, int8 [n, 64], perhaps mapped from disk; searched with trees if there are any.

    `trees` are ScaNN's own searchers, each over a part of the descriptors, in their order. Raises
    ArtifactRefusedError unless they hold all of them.
    """

    def __init__(self, descriptors: np.ndarray, trees: Sequence[Any] = ()):
        self._descriptors = descriptors
        self._trees = trees
        self._ends = np.cumsum([tree.size() for tree in trees], dtype=np.int64)
        if len(trees) and self._ends[-1] != len(descriptors):
            raise ArtifactRefusedError(
                f"the trees over local features hold {self._ends[-1]:,} descriptors, the segment {len(descriptors):,}; "
                "index again"
            )

    @classmethod
    def load(cls, directory: Path, descriptors: np.ndarray) -> "DescriptorIndex":
        """Loads the tree of each subdirectory, whose files were verified; without any, search is exact."""
        return cls(descriptors, [load_tree(part) for part in sorted(directory.glob("*/"))])

    def search(self, descriptors: np.ndarray, k: int, *, hides: Hides | None = None) -> Neighbours:
        """Returns the neighbours of descriptors, int8 [queries, 64]; there are fewer columns if there are fewer.

        `hides` says of places whether they are not to be found.
        """
        if not self._trees:
            hidden = None if hides is None else hides(np.arange(len(self._descriptors)))
            # The stored side stays as it is, and the query's is divided twice: the products are cosines all the same.
            asked = descriptors / LENGTH**2
            return Neighbours(*exact_neighbours(asked, self._descriptors, k=k, distance="cosine", hidden=hidden))
        found = [self._search_tree(number, descriptors, k, hides) for number in range(len(self._trees))]
        return nearest_of(found, k)

    def _search_tree(self, number: int, descriptors: np.ndarray, k: int, hides: Hides | None) -> Neighbours:
        tree = self._trees[number]
        first = self._ends[number] - tree.size()
        if hides is None:
            places, similarities = search_tree(tree, descriptors, k)
        else:
            places, similarities = shown_neighbours(
                lambda some, asked: search_tree(tree, some, asked),
                descriptors,
                k,
                hides=lambda places: hides(places + first),
                most=min(tree.size(), MOST_PASSED_OVER * k),
            )
        return Neighbours(np.where(places < 0, -1, places + first), similarities)


def nearest_of(found: Sequence[Neighbours], k: int) -> Neighbours:
    """Returns the k nearest of what several searches with the same queries found."""
    places = np.concatenate([one.places for one in found], axis=1)
    similarities = np.concatenate([one.similarities for one in found], axis=1)
    best = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return Neighbours(np.take_along_axis(places, best, axis=1), np.take_along_axis(similarities, best, axis=1))


def load_tree(directory: Path) -> Any:
    """Loads one of ScaNN's searchers; the caller has verified its files, because ScaNN notices no flipped bit."""
    tree = load_searcher(directory)
    tree.set_num_threads(os.cpu_count() or 1)
    return tree


def tree_vectors(descriptors: np.ndarray) -> np.ndarray:
    """Returns the vectors of a tree or its queries, float32 [n, 48] of unit length, for descriptors [n, 64]."""
    vectors = descriptors[:, :TREE_COMPONENTS].astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return vectors


def search_tree(tree: Any, descriptors: np.ndarray, k: int) -> Neighbours:
    """Returns the neighbours of descriptors [queries, 64] in one tree, which searches as many leaves as it says itself.

    The similarities are those of the hashed descriptors: off by up to 0.14, and by far less in the mean.
    """
    threads = os.cpu_count() or 1
    places, products = tree.search_batched_parallel(
        tree_vectors(descriptors),
        final_num_neighbors=min(k, tree.size()),
        batch_size=max(FEWEST_PER_THREAD, -(-len(descriptors) // threads)),
    )
    # Missing neighbours come back as place 0 with NaN: unmasked, the first photo would get a vote of each.
    missing = ~np.isfinite(products)
    return Neighbours(np.where(missing, -1, places.astype(np.int64)), np.where(missing, -np.inf, products))
