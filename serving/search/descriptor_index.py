"""Finds the nearest descriptors among those of a segment's photos: in ScaNN trees, or by looking at each of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.store.segments import LocalTree
from foundation.vectors import exact_neighbours
from serving.search.descriptor_tree import DescriptorTree, Neighbours
from serving.search.shown import shown_neighbours

# The length of a stored descriptor, whose components are whole numbers.
LENGTH = np.float32(127)
# Of hidden photos so many times the neighbours of a descriptor are passed over at most: a query has thousands of them.
MOST_PASSED_OVER = 32

# Says of places, int64 of any shape, whether they are not to be found: bool.
Hides = Callable[[np.ndarray], np.ndarray]


class DescriptorIndex:
    """The descriptors of a segment, int8 [n, 64], perhaps mapped from disk; searched with trees if there are any.

    `trees` are each over a part of the descriptors, in their order. Raises ArtifactRefusedError unless they hold all.
    """

    def __init__(self, descriptors: np.ndarray, trees: Sequence[DescriptorTree] = ()):
        self._descriptors = descriptors
        self._trees = trees
        self._ends = np.cumsum([tree.size for tree in trees], dtype=np.int64)
        if len(trees) and self._ends[-1] != len(descriptors):
            raise ArtifactRefusedError(
                f"the trees over local features hold {self._ends[-1]:,} descriptors, the segment {len(descriptors):,}; "
                "index again"
            )

    @classmethod
    def load(cls, directory: Path, descriptors: np.ndarray, trees: Sequence[LocalTree]) -> "DescriptorIndex":
        """Opens these trees, each in a subdirectory whose files were verified; without any, search is exact."""
        opened = [DescriptorTree(directory / f"{n:04d}", tree.leaves_to_search) for n, tree in enumerate(trees)]
        return cls(descriptors, opened)

    @property
    def is_loaded(self) -> bool:
        """Whether all trees are in memory: then many queries have come, or will."""
        return all(tree.is_loaded for tree in self._trees)

    def load_trees(self) -> None:
        """Loads the trees now, which many queries would do otherwise."""
        for tree in self._trees:
            tree.load()

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
        first = self._ends[number] - tree.size
        if hides is None:
            places, similarities = tree.search(descriptors, k)
        else:
            places, similarities = shown_neighbours(
                tree.search,
                descriptors,
                k,
                hides=lambda places: hides(places + first),
                most=min(tree.size, MOST_PASSED_OVER * k),
            )
        return Neighbours(np.where(places < 0, -1, places + first), similarities)


def nearest_of(found: Sequence[Neighbours], k: int) -> Neighbours:
    """Returns the k nearest of what several searches with the same queries found."""
    places = np.concatenate([one.places for one in found], axis=1)
    similarities = np.concatenate([one.similarities for one in found], axis=1)
    best = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return Neighbours(np.take_along_axis(places, best, axis=1), np.take_along_axis(similarities, best, axis=1))
