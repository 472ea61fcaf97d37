"""Builds the ScaNN index of a segment, and tunes its search until it finds as much as it should."""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.store.segments import MeasuredSearch, SearchParameters
from pipelines.index.mapped import RowsOnDisk
from pipelines.index.plan import IndexOptions
from pipelines.index.scann_tree import write_tree
from pipelines.index.tune import (
    NEIGHBOURS,
    Questions,
    frontier,
    in_order_to_take,
    make_questions,
    measure,
    sweep,
)
from serving.search.scann_index import ScannIndex

# ScaNN learns 16 centres for each block of components, and refuses to from fewer rows.
FEWEST_SCANN_ROWS = 16


class VectorSearch(NamedTuple):
    """How a segment's vectors are searched, the recall@10 of that, and the number of queries it was measured with.

    `frontier` are the other searches that were tried, as far as they are worth a thought.
    """

    parameters: SearchParameters
    recall: float
    queries: int
    frontier: list[MeasuredSearch]


EXACT_SEARCH = VectorSearch(SearchParameters(), 1.0, 0, [])


def write_scann(directory: Path, vectors: np.ndarray, distance: str, options: IndexOptions) -> VectorSearch:
    """Writes a tree with asymmetric hashing over float32 [rows, dimension], and chooses how it is searched.

    The vectors are mapped from disk, and score the tree's candidates exactly. Raises ArtifactRefusedError if even the
    widest search stays under `min_recall`.
    """
    rows = RowsOnDisk(vectors)
    leaves = plan_leaves(len(vectors))
    # A search that names other leaves overrides this number, and each does.
    planned = SearchParameters(leaves=leaves, leaves_to_search=max(1, leaves // 10))
    tree = write_tree(directory, rows, planned, neighbours=NEIGHBOURS, distance=distance)
    index = ScannIndex(tree, distance=distance, rows=len(vectors), vectors=vectors)
    questions = make_questions(rows, distance)
    trials = sweep(index, questions.part(0), leaves=leaves, rows=len(vectors), target=options.aim)
    chosen = take(index, questions.part(1), in_order_to_take(trials, options.aim), options.min_recall)
    parameters = SearchParameters(**{name: getattr(chosen, name) for name in SearchParameters.__dataclass_fields__})
    return VectorSearch(parameters, chosen.recall_at_10, len(questions.part(1).queries), frontier(trials))


def plan_leaves(rows: int) -> int:
    """Returns the number of leaves of a tree over so many rows: the square root, which is ScaNN's own advice."""
    # From half to four times as many, a search that finds 95 % of 100,000 to 300,000 rows took the same time within a
    # tenth: what is worth a sweep is how many of them are searched.
    return max(1, min(rows, round(math.sqrt(rows))))


def take(index: ScannIndex, questions: Questions, searches: list[MeasuredSearch], min_recall: float) -> MeasuredSearch:
    """Returns the first of some searches whose recall is not under the bar, as these queries measure it.

    They are other queries than those the searches were chosen by, which would flatter the choice. Raises
    ArtifactRefusedError if all are under the bar.
    """
    measured = []
    for search in searches:
        again = measure(index, questions, search).search
        measured.append(again.recall_at_10)
        if again.recall_at_10 >= min_recall:
            return again
    raise ArtifactRefusedError(
        f"recall@{NEIGHBOURS} of the segment is {max(measured):.3f}, expected at least {min_recall}; "
        "nothing was published: raise --exact-below or lower --min-recall"
    )
