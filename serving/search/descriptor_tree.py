"""Searches one tree over descriptors: in its files for a few queries, and with ScaNN, which loads it, for many."""

import os
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from foundation.store.segments import TREE_ORDER
from serving.search.leaf_scan import LeafScan
from serving.search.scann_index import load_searcher

# Components that trees are built of. Descriptors are projected on principal axes, the most telling first: the last
# quarter finds no photo that the others do not, and would cost a quarter of the space and time.
TREE_COMPONENTS = 48
# Descriptors that one thread searches at a time, at least: handing over fewer costs more than it saves.
FEWEST_PER_THREAD = 128
# Loading a tree takes as long as a search in its files for one of so many of its descriptors: once both took the same
# time it is loaded, and however many queries come, it takes at most twice as long as if that had been known.
LOADED_PER_SEARCHED = 4_000


class Neighbours(NamedTuple):
    """Descriptors near those of a query: places int64 [queries, k], similarities float32 [queries, k], best first.

    A place is the number of a descriptor among all of the segment, or -1 with a similarity of -inf for none.
    """

    places: np.ndarray
    similarities: np.ndarray


class DescriptorTree:
    """A tree in a directory whose files were verified; threads may share it. `size` is the number of its descriptors.

    One of an earlier version, whose leaves lie all over its files, is loaded at once.
    """

    def __init__(self, directory: Path, leaves_to_search: int):
        self._directory = directory
        self._leaves_to_search = leaves_to_search
        self._loading = Lock()
        self._tree: Any = None
        self._asked = 0
        self._scan, self._order = None, None
        if (directory / TREE_ORDER).exists():
            self._scan = LeafScan(directory, leaves_to_search)
            self._order = self._scan.order
        self.size = self._loaded().size() if self._order is None else len(self._order)

    @property
    def is_loaded(self) -> bool:
        """Whether ScaNN holds it in memory."""
        return self._tree is not None

    def load(self) -> None:
        """Loads it now, for whoever knows that many queries will come."""
        self._loaded()

    def search(self, descriptors: np.ndarray, k: int) -> Neighbours:
        """Returns the neighbours of descriptors, int8 [queries, 64], by their places among those of the tree."""
        self._asked += len(descriptors)
        if self._scan and self._is_scanned():
            return Neighbours(*self._scan.search(tree_vectors(descriptors), k))
        places, similarities = search_tree(self._loaded(), descriptors, k, leaves_to_search=self._leaves_to_search)
        return Neighbours(places if self._order is None else _named(self._order, places), similarities)

    def _is_scanned(self) -> bool:
        # While one thread loads the tree, the others go on without it.
        is_worth_loading = self._asked * LOADED_PER_SEARCHED > self.size
        return self._tree is None and (self._loading.locked() or not is_worth_loading)

    def _loaded(self) -> Any:
        with self._loading:
            if self._tree is None:
                self._tree = load_tree(self._directory)
            return self._tree


def _named(order: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Returns places in the order of descriptors for those in a tree, int64 of any shape, -1 for none."""
    return np.where(places < 0, -1, order[np.maximum(places, 0)].astype(np.int64))


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


def search_tree(tree: Any, descriptors: np.ndarray, k: int, *, leaves_to_search: int | None = None) -> Neighbours:
    """Returns the neighbours of descriptors [queries, 64] in one of ScaNN's trees, in all leaves that it is built for.

    The similarities are those of the hashed descriptors: off by up to 0.14, and by far less in the mean.
    """
    threads = os.cpu_count() or 1
    places, products = tree.search_batched_parallel(
        tree_vectors(descriptors),
        final_num_neighbors=min(k, tree.size()),
        leaves_to_search=leaves_to_search,
        batch_size=max(FEWEST_PER_THREAD, -(-len(descriptors) // threads)),
    )
    # Missing neighbours come back as place 0 with NaN: unmasked, the first photo would get a vote of each.
    missing = ~np.isfinite(products)
    return Neighbours(np.where(missing, -1, places.astype(np.int64)), np.where(missing, -np.inf, products))
