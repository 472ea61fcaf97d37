"""Builds the ScaNN trees over the descriptors of a segment's local features, and measures what they find."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from foundation.store.segments import LocalTree
from foundation.vectors import similarity
from pipelines.index.leaf_order import sort_by_leaf
from pipelines.index.mapped import RowsOnDisk
from pipelines.index.scann_tree import write_tree_files
from pipelines.index.tune import SIMILARITY_TOLERANCE, make_questions
from serving.search.descriptor_index import LENGTH
from serving.search.descriptor_tree import DescriptorTree, tree_vectors

# Below, that is some thirty photos, looking at every descriptor is as fast as a tree, and misses none.
EXACT_BELOW = 5_000
# Descriptors of one tree: fewer, larger trees are searched in less time, and take more memory to build.
MOST_DESCRIPTORS = 64_000_000
# Votes come from many features, so that a neighbour missed here and there costs no photo: in trees of a million
# descriptors and of ten, 4 leaves find the same photos as 24. A constant number keeps a search at the root of the size.
LEAVES_SEARCHED = 8
NEIGHBOURS = 8
# Exact search for comparison takes 2 s per million descriptors with this many.
RECALL_QUERIES = 200


def plan_local_trees(
    descriptors: int, *, exact_below: int = EXACT_BELOW, most: int = MOST_DESCRIPTORS
) -> list[LocalTree]:
    """Returns the trees over this many descriptors: the fewest of at most `most`, of about equal size; perhaps none."""
    if descriptors < exact_below:
        return []
    count = -(-descriptors // most)
    bounds = [descriptors * number // count for number in range(count + 1)]
    return [_plan_tree(first, end - first) for first, end in pairwise(bounds)]


def _plan_tree(first: int, descriptors: int) -> LocalTree:
    leaves = round(math.sqrt(descriptors))
    return LocalTree(first=first, descriptors=descriptors, leaves=leaves, leaves_to_search=min(leaves, LEAVES_SEARCHED))


def write_local_scann(directory: Path, descriptors: np.ndarray, trees: Sequence[LocalTree]) -> float:
    """Builds the planned trees over int8 [n, 64], perhaps mapped from disk, a subdirectory each; returns their recall.

    That is the share of moved descriptors whose nearest one is among the neighbours found, in the mean of the trees.
    """
    directory.mkdir()
    return float(np.mean([_write_tree(directory / f"{n:04d}", descriptors, tree) for n, tree in enumerate(trees)]))


def _write_tree(directory: Path, descriptors: np.ndarray, plan: LocalTree) -> float:
    """Builds a tree without the descriptors themselves, 33 bytes each on disk; returns its recall."""
    # Nothing is scored anew: a vote's weight needs no exact similarity, and the vectors would cost 256 bytes.
    part = descriptors[plan.first : plan.first + plan.descriptors]
    vectors = RowsOnDisk(part, tree_vectors)
    write_tree_files(directory, vectors, plan, neighbours=NEIGHBOURS, distance="cosine")
    sort_by_leaf(directory)
    tree = DescriptorTree(directory, plan.leaves_to_search)
    return _recall(tree, RowsOnDisk(part, lambda rows: rows / LENGTH))


def _recall(tree: DescriptorTree, descriptors: RowsOnDisk) -> float:
    """Returns the share of moved descriptors whose nearest one, float32 [n, 64] of unit length, the tree finds."""
    queries, nearest = make_questions(descriptors, "cosine", count=RECALL_QUERIES, neighbours=1)
    places = tree.search(queries * LENGTH, NEIGHBOURS).places
    distinct = np.unique(places[places >= 0])
    found = similarity(queries, descriptors.take(distinct), "cosine")
    columns = np.minimum(np.searchsorted(distinct, places), len(distinct) - 1)
    near = np.where(places < 0, -np.inf, np.take_along_axis(found, columns, axis=1))
    return float((near.max(axis=1) >= nearest - SIMILARITY_TOLERANCE).mean())
