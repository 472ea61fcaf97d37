"""Measures how well a search finds: precision, mean average precision, recall of pixel neighbours, the photo itself.

A search is a `Similarity`, so that vectors and anything else that compares photos are measured alike.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from foundation import vectors
from foundation.errors import UsageError

Similarity = Callable[[np.ndarray], np.ndarray]
"""Indices of queries → float32 [queries, gallery], finite; larger is nearer."""

# The similarities of 1,000 queries with 10,000 photos are 80 MB in float64; a measurement holds some copies of them.
BLOCK_ROWS = 1_000
# float64 products of 3,072 values are off by at most 4e-13 of the lengths: what differs by less is the same vector.
SAME = 1e-12


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Each photo of the test split asked of all others of it, by the entry's own distance, as shares from 0 to 1.

    Relevant are the photos of the same class; `pixel_recall_at_10` is the share of the ten nearest photos by pixels
    that are among the ten nearest by vectors. `best_precision_at_10` is what a perfect search would reach: small
    classes do not fill ten places. `euclidean` and `cosine` are the precision@10 by either distance. A search that
    takes long asks `queries` of the photos only.
    """

    queries: int
    precision_at_4: float
    precision_at_10: float
    mean_average_precision: float
    pixel_recall_at_10: float
    best_precision_at_10: float
    euclidean: float | None = None
    cosine: float | None = None


def by_vectors(queries: np.ndarray, gallery: np.ndarray, *, distance: str) -> Similarity:
    """Returns the search by `cosine` or `euclidean` distance.

    The similarity is the cosine minus one, or the negative squared Euclidean distance: 0 is the same vector, exactly.
    A vector of zeros has the cosine 0 with every vector, itself included.

    queries: float32 [queries, dimension]; gallery: float32 [gallery, dimension].
    Raises UsageError for another distance, for dimensions that differ, and for values that are not finite.
    """
    if distance not in ("cosine", "euclidean"):
        raise UsageError(f"distance is {distance!r}; expected cosine or euclidean")
    if queries.ndim != 2 or gallery.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise UsageError(f"vectors of shapes {queries.shape} and {gallery.shape}; expected two tables of one dimension")
    # Differences cancel in float32: neighbours in a narrow cone, or far from the origin, would be ordered by rounding.
    queries, gallery = _finite(queries), _finite(gallery)
    if distance == "cosine":
        return _by_cosine(_unit(queries), _unit(gallery))
    return _by_euclidean(queries, gallery)


def nearest(similarity: Similarity, queries: np.ndarray, k: int, *, leave_out_self: bool) -> np.ndarray:
    """Returns the k nearest photos, best first, int64 [queries, k]; of equally near ones the lower index is first.

    With `leave_out_self` query i is photo i of the gallery, and not among its own neighbours.
    Raises UsageError where the gallery holds fewer than k photos.
    """
    return np.concatenate([_first(block, k) for _, block in _blocks(similarity, queries, leave_out_self)])


def measure_retrieval(
    similarity: Similarity, labels: np.ndarray, queries: np.ndarray, pixel_neighbours: np.ndarray
) -> Retrieval:
    """Returns how well photos of a gallery find the others of their class, each query itself left out.

    A query that has no other photo of its class is left out of precision and mean average precision. Precision
    breaks ties by the lower index, as `nearest` does; average precision counts equally near photos as one step (see
    `average_precision`), so that the many ties of hashes gain nothing from the order of the gallery.

    labels: int [gallery]; queries: indices of photos of the gallery; pixel_neighbours: int [queries, 10], the ten
    nearest photos of each query by pixels.
    Raises UsageError where no query has another photo of its class, or pixel_neighbours has another shape.
    """
    if pixel_neighbours.shape != (len(queries), 10):
        raise UsageError(f"pixel_neighbours has shape {pixel_neighbours.shape}; expected ({len(queries)}, 10)")
    neighbours, averages = [], []
    for rows, block in _blocks(similarity, queries, leave_out_self=True):
        neighbours.append(_first(block, 10))
        averages.append(_average_precisions(block, labels, queries[rows]))
    found, average = np.concatenate(neighbours), np.concatenate(averages)
    judged = ~np.isnan(average)
    if not judged.any():
        raise UsageError(f"none of {len(queries)} queries has another photo of its class; expected two photos a class")
    same_class = (labels[found] == labels[queries][:, None])[judged]
    return Retrieval(
        queries=len(queries),
        precision_at_4=float(same_class[:, :4].mean()),
        precision_at_10=float(same_class.mean()),
        mean_average_precision=float(average[judged].mean()),
        best_precision_at_10=float(np.minimum(_class_sizes(labels)[queries][judged] - 1, 10).mean() / 10),
        pixel_recall_at_10=float((found[:, :, None] == pixel_neighbours[:, None, :]).any(axis=2).mean()),
    )


def measure_precision(similarity: Similarity, labels: np.ndarray, queries: np.ndarray, k: int) -> float:
    """Returns precision@k alone, counted as by `measure_retrieval`, for comparing distances."""
    judged = queries[_class_sizes(labels)[queries] > 1]
    if not len(judged):
        raise UsageError(f"none of {len(queries)} queries has another photo of its class; expected two photos a class")
    return float((labels[nearest(similarity, judged, k, leave_out_self=True)] == labels[judged][:, None]).mean())


def _class_sizes(labels: np.ndarray) -> np.ndarray:
    """Returns for each photo how many are of its class, itself included: int [gallery]."""
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return sizes[classes]


def average_precision(similarities: np.ndarray, relevant: np.ndarray) -> float:
    """Returns the mean, over the relevant photos, of the precision among all photos at least as near as each.

    Photos that are equally near are thus retrieved together, in one step of the curve, as by scikit-learn's
    `average_precision_score`; where all are equally near, this is the share of relevant photos. NaN without any.

    similarities: float32 [gallery], -inf for photos left out; relevant: indices of the relevant photos.
    """
    return _average_precision(np.sort(similarities), similarities[relevant])


def found_first(similarity: Similarity, queries: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns whether the target of each query is strictly nearer than every other photo, bool [queries].

    A tie is not found, not even with a duplicate of the target: a search to which all photos are alike finds nothing.
    targets: indices of photos of the gallery, [queries].
    """
    found = []
    for rows, block in _blocks(similarity, queries, leave_out_self=False):
        each = np.arange(len(block))
        own = block[each, targets[rows]]
        block[each, targets[rows]] = -np.inf
        found.append(own > block.max(axis=1))
    return np.concatenate(found)


def _by_cosine(queries: np.ndarray, gallery: np.ndarray) -> Similarity:
    def similarity(indices: np.ndarray) -> np.ndarray:
        below_one = queries[indices] @ gallery.T
        below_one -= 1
        below_one[below_one > -SAME] = 0
        return below_one.astype(np.float32)

    return similarity


def _by_euclidean(queries: np.ndarray, gallery: np.ndarray) -> Similarity:
    query_squares, gallery_squares = (np.einsum("nd,nd->n", vectors, vectors) for vectors in (queries, gallery))

    def similarity(indices: np.ndarray) -> np.ndarray:
        squares = queries[indices] @ gallery.T
        squares *= -2
        lengths = query_squares[indices][:, None] + gallery_squares
        squares += lengths
        lengths *= SAME
        squares[squares <= lengths] = 0
        return np.negative(squares, out=squares).astype(np.float32)

    return similarity


def _finite(vectors: np.ndarray) -> np.ndarray:
    broken = np.count_nonzero(~np.isfinite(vectors).all(axis=1))
    if broken:
        raise UsageError(f"{broken} of {len(vectors)} vectors hold NaN or inf; expected finite values: train it again")
    return vectors.astype(np.float64)


def _unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _blocks(similarity: Similarity, queries: np.ndarray, leave_out_self: bool) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields (rows of `queries`, similarities float32 [rows, gallery] to be changed at will)."""
    for start in range(0, len(queries), BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, len(queries)))
        block = similarity(queries[rows])
        if leave_out_self:
            block[np.arange(len(block)), queries[rows]] = -np.inf
        yield rows, block


def _first(similarities: np.ndarray, k: int) -> np.ndarray:
    """Returns the columns of the k largest similarities per row, int64 [rows, k], ties by the lower column."""
    candidates = np.count_nonzero(similarities[0] > -np.inf)
    if not 1 <= k <= candidates:
        raise UsageError(f"the {k} nearest of {candidates} photos were asked for; expected 1 to {candidates}")
    return vectors.nearest(similarities, k)


def _average_precisions(similarities: np.ndarray, labels: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Returns the average precision of each row, NaN where no other photo has the query's label."""
    members = {label: np.flatnonzero(labels == label) for label in np.unique(labels[queries])}
    ordered = np.sort(similarities, axis=1)
    averages = [
        _average_precision(row, values[members[labels[query]]])
        for row, values, query in zip(ordered, similarities, queries, strict=True)
    ]
    return np.array(averages)


def _average_precision(ordered: np.ndarray, relevant: np.ndarray) -> float:
    """ordered: all similarities, ascending; relevant: those of the relevant photos."""
    relevant = np.sort(relevant[relevant > -np.inf])
    if not len(relevant):
        return np.nan
    hits = len(relevant) - np.searchsorted(relevant, relevant)
    retrieved = len(ordered) - np.searchsorted(ordered, relevant)
    return float((hits / retrieved).mean())
