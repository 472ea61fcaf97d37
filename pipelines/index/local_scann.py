"""Builds the ScaNN trees over the descriptors of a segment's local features, and measures what they find."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from foundation.stderr import quiet_stderr
from foundation.store.segments import LocalTree
from foundation.vectors import exact_neighbours
from pipelines.index.scann_index import hashed_tree, recall_of, sample_queries, write_tree
from serving.search.descriptor_index import LENGTH, search_tree, tree_vectors

# Below, that is some thirty photos, looking at every descriptor is as fast as a tree, and misses none.
EXACT_BELOW = 5_000
# Descriptors of one tree: ScaNN takes float32, and a build holds 0.63 GB a million, 2.5 GB at most.
MOST_DESCRIPTORS = 4_000_000
# Votes come from many features, so that a neighbour missed here and there costs no photo. Of the 1,732 leaves over 3
# million descriptors, 9, 17 and 35 take 27, 41 and 66 ms for the 900 features of a query.
SEARCHED_SHARE = 0.0075
FEWEST_LEAVES_SEARCHED = 8
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
    searched = min(leaves, max(FEWEST_LEAVES_SEARCHED, round(leaves * SEARCHED_SHARE)))
    return LocalTree(first=first, descriptors=descriptors, leaves=leaves, leaves_to_search=searched)


def write_local_scann(directory: Path, descriptors: np.ndarray, trees: Sequence[LocalTree]) -> float:
    """Builds the planned trees over int8 [n, 64], perhaps mapped from disk, a subdirectory each; returns their recall.

    That is the share of moved descriptors whose nearest one is among the neighbours found, in the mean of the trees.
    """
    directory.mkdir()
    recalls = []
    for number, plan in enumerate(trees):
        part = np.asarray(descriptors[plan.first : plan.first + plan.descriptors])
        tree = _build(part, plan)
        write_tree(tree, directory / f"{number:04d}")
        recalls.append(_recall(tree, part))
    return float(np.mean(recalls))


def _build(descriptors: np.ndarray, plan: LocalTree) -> Any:
    """Returns ScaNN's searcher without the descriptors themselves: 29 bytes each on disk."""
    tree = hashed_tree(tree_vectors(descriptors), plan, neighbours=NEIGHBOURS, distance="cosine")
    with quiet_stderr():
        # Nothing is scored anew: a vote's weight needs no exact similarity, and the vectors would cost 256 bytes.
        return tree.build()


def _recall(tree: Any, descriptors: np.ndarray) -> float:
    queries = (sample_queries(descriptors, "cosine")[:RECALL_QUERIES] / LENGTH).astype(np.float32)
    _, best = exact_neighbours(queries, descriptors, k=1, distance="cosine")
    return recall_of(search_tree(tree, queries, NEIGHBOURS).places, queries, descriptors, best, "cosine")
