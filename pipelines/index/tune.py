"""Chooses how a tree is searched: the cheapest way that reaches a recall, measured against exact search."""

import math
import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from foundation.store.segments import MeasuredSearch, SearchParameters
from foundation.vectors import nearest, similarity
from pipelines.index.mapped import RowsOnDisk
from serving.search.scann_index import ScannIndex

NEIGHBOURS = 10
# Half of them choose the search, the other half measure it: a share measured with 500 queries of 10 neighbours is known
# to about half a per cent. Looking at every vector for them is what a sweep costs most.
QUERIES = 1_000
# Rows that all queries are compared with at a time: 16 MB of similarities, and some copies.
COMPARED_ROWS = 4_096
# How far a query is moved, as a share of its vector's length: its cosine with the vector is then about 0.96.
QUERY_NOISE = 0.3
# The least share of the leaves that is tried, and by how much each further number is greater than the one before.
FEWEST_LEAVES = 0.01
LEAVES_STEP = 1.25
# Candidates that are scored exactly.
REORDERS = (25, 50, 100, 200, 400)
# What is tried where no search reaches the target: all leaves, and so many candidates.
MOST_REORDERED = 1_600
# Numbers of leaves that are tried with fewer candidates, from the fewest that are enough on: with more leaves fewer
# candidates may do, in less time.
LEAVES_COMPARED = 3
# Standard errors that the recall of the choosing queries has to be above the target: of 40 choices one is by chance.
SURE = 2
# ScaNN and NumPy add float32 products in another order, so that the last neighbour may seem a little too far.
SIMILARITY_TOLERANCE = 1e-5


class Questions(NamedTuple):
    """Queries, float32 [n, dimension], and how near the last of their true neighbours is, float32 [n]."""

    queries: np.ndarray
    last: np.ndarray

    def part(self, number: int) -> "Questions":
        """Returns every second one, from the first (0) or the second (1) on."""
        return Questions(self.queries[number::2], self.last[number::2])


class Trial(NamedTuple):
    """A search that was tried, and the recall that it has at least, as far as its queries can tell."""

    search: MeasuredSearch
    at_least: float


def sample_queries(vectors: RowsOnDisk, distance: str, *, count: int = QUERIES, seed: int = 0) -> np.ndarray:
    """Returns float32 [queries, dimension]: sampled vectors, moved a little, as an edited copy's would be.

    A vector itself would always be found, and the recall would flatter the index. The seed is fixed, so that two
    builds are judged by the same queries.
    """
    generator = np.random.default_rng(seed)
    rows = generator.choice(len(vectors), size=min(count, len(vectors)), replace=False)
    sample = vectors.take(np.sort(rows))
    lengths = np.linalg.norm(sample, axis=1, keepdims=True)
    noise = generator.standard_normal(sample.shape).astype(np.float32) / math.sqrt(sample.shape[1])
    moved = sample + QUERY_NOISE * lengths * noise
    if distance == "cosine":
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    return moved


def make_questions(
    vectors: RowsOnDisk, distance: str, *, count: int = QUERIES, neighbours: int = NEIGHBOURS
) -> Questions:
    """Returns sampled queries, and how near their neighbours are, by looking at every vector."""
    queries = sample_queries(vectors, distance, count=count)
    best = np.full((len(queries), min(neighbours, len(vectors))), -np.inf, np.float32)
    for start in range(0, len(vectors), COMPARED_ROWS):
        _keep_best(best, similarity(queries, vectors[start : start + COMPARED_ROWS], distance))
    return Questions(queries, best[:, -1])


def _keep_best(best: np.ndarray, found: np.ndarray) -> None:
    """Puts those of similarities float32 [n, columns] into the best, float32 [n, k], descending, that belong there."""
    # The rows of a segment are in random order: after the first block few are better, and sorting all would cost more
    # than the products do.
    if np.isneginf(best).all():
        first = nearest(found, min(best.shape[1], found.shape[1]))
        best[:, : first.shape[1]] = np.take_along_axis(found, first, axis=1)
        return
    for query in np.flatnonzero((found > best[:, -1:]).any(axis=1)):
        better = found[query][found[query] > best[query, -1]]
        best[query] = np.sort(np.concatenate([best[query], better]))[::-1][: best.shape[1]]


def shares_found(similarities: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Returns the share of true neighbours that each query found, float64 [n]: any of several equal ones will do.

    similarities: float32 [n, neighbours], exact ones of different rows; last: float32 [n], that of the last true one.
    """
    # By similarity and not by row: of ten copies that are equally near, exact search names any and ScaNN any other.
    hits = similarities[:, :NEIGHBOURS] >= last[:, None] - SIMILARITY_TOLERANCE
    return hits.mean(axis=1)


def sweep(index: ScannIndex, questions: Questions, *, leaves: int, rows: int, target: float) -> list[Trial]:
    """Returns searches of a tree that were tried; some of them reach the target if any search of the tree does."""
    counts = leaves_to_try(leaves)
    reorders = sorted({min(one, rows) for one in REORDERS})
    tried: list[Trial] = []

    def attempt(leaves_to_search: int, reorder: int) -> Trial:
        parameters = SearchParameters(leaves=leaves, leaves_to_search=leaves_to_search, reorder=reorder)
        tried.append(measure(index, questions, parameters))
        return tried[-1]

    # Searching more leaves finds more and costs more: halving finds the fewest that are enough in five steps.
    fewest = bisect_left(counts, True, key=lambda count: attempt(count, reorders[-1]).at_least >= target)
    for count in counts[fewest : fewest + LEAVES_COMPARED]:
        for reorder in reorders[:-1]:
            if attempt(count, reorder).at_least >= target:
                break
    if fewest == len(counts):
        attempt(leaves, min(rows, MOST_REORDERED))
    return tried


def leaves_to_try(leaves: int) -> list[int]:
    """Returns the numbers of leaves that a search may look into, ascending, from one in a hundred to all of them."""
    counts = [max(1, round(leaves * FEWEST_LEAVES))]
    while counts[-1] < leaves:
        counts.append(min(leaves, max(counts[-1] + 1, round(counts[-1] * LEAVES_STEP))))
    return counts


def measure(index: ScannIndex, questions: Questions, parameters: SearchParameters) -> Trial:
    """Returns the recall of a search, and the processor time of a query, over all cores."""
    # On a machine that does other things too, the time that passes is chance.
    started = time.process_time()
    _, similarities = index.search(questions.queries, NEIGHBOURS, parameters)
    seconds = time.process_time() - started
    shares = shares_found(similarities, questions.last)
    recall, error = float(shares.mean()), float(shares.std()) / math.sqrt(len(shares))
    measured = MeasuredSearch(
        leaves=parameters.leaves,
        leaves_to_search=parameters.leaves_to_search,
        reorder=parameters.reorder,
        recall_at_10=round(recall, 4),
        microseconds_per_query=round(1e6 * seconds / len(shares), 1),
    )
    return Trial(measured, recall - SURE * error)


def in_order_to_take(trials: Sequence[Trial], target: float) -> list[MeasuredSearch]:
    """Returns the searches from the one to take on, each followed by the next to take if it disappoints.

    First come those that surely reach the target, cheapest first, and then the others, the one that finds most first.
    """
    enough = sorted((trial for trial in trials if trial.at_least >= target), key=_cost)
    others = sorted((trial for trial in trials if trial.at_least < target), key=_recall, reverse=True)
    return [trial.search for trial in [*enough, *others]]


def frontier(trials: Sequence[Trial]) -> list[MeasuredSearch]:
    """Returns the searches that no other one beats in both time and recall, cheapest first."""
    kept: list[Trial] = []
    for trial in sorted(trials, key=lambda one: (_cost(one), -_recall(one))):
        if not kept or _recall(trial) > _recall(kept[-1]):
            kept.append(trial)
    return [trial.search for trial in kept]


def _cost(trial: Trial) -> float:
    return trial.search.microseconds_per_query


def _recall(trial: Trial) -> float:
    return trial.search.recall_at_10
