"""CONTRACT: what the distance named in encoder.json means, and the exact search every index is measured against."""

import numpy as np

# Rows per block: 65,536 × 256 float32 and the products of 64 queries stay under 100 MB.
BLOCK_ROWS = 65_536


def similarity(queries: np.ndarray, vectors: np.ndarray, distance: str) -> np.ndarray:
    """Returns float32 [queries, vectors]: the cosine, or 1 / (1 + distance) for `euclidean`; 1 is the same vector.

    queries, vectors: float32 [n, dimension], of unit length for `cosine`.
    """
    products = queries @ vectors.T
    if distance == "cosine":
        return np.clip(products, -1.0, 1.0)
    squares = (queries**2).sum(axis=1)[:, None] - 2 * products + (vectors**2).sum(axis=1)[None, :]
    return from_squared_distance(squares)


def from_squared_distance(squares: np.ndarray) -> np.ndarray:
    """Returns the similarity for squared Euclidean distances; rounding below zero counts as zero."""
    return (1 / (1 + np.sqrt(np.maximum(squares, 0)))).astype(np.float32)


def to_score(similarities: np.ndarray, distance: str) -> np.ndarray:
    """Returns similarities as scores in [0, 1]; monotonous, not yet a calibrated probability."""
    return (1 + similarities) / 2 if distance == "cosine" else similarities


def exact_neighbours(
    queries: np.ndarray, vectors: np.ndarray, *, k: int, distance: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns (rows int64 [queries, k], similarities float32 [queries, k]), best first, by looking at every vector.

    With fewer than k vectors there are fewer columns. `vectors` may be memory-mapped: it is read block by block.
    """
    k = min(k, len(vectors))
    rows = np.empty((len(queries), 0), np.int64)
    similarities = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = similarity(queries, np.asarray(vectors[start : start + BLOCK_ROWS]), distance)
        numbers = np.broadcast_to(np.arange(start, start + block.shape[1]), block.shape)
        rows = np.concatenate([rows, numbers], axis=1)
        similarities = np.concatenate([similarities, block], axis=1)
        rows, similarities = _best(rows, similarities, k)
    return rows, similarities


def _best(rows: np.ndarray, similarities: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    if similarities.shape[1] > k:
        chosen = np.argpartition(-similarities, k - 1, axis=1)[:, :k]
        rows = np.take_along_axis(rows, chosen, axis=1)
        similarities = np.take_along_axis(similarities, chosen, axis=1)
    order = np.argsort(-similarities, axis=1, kind="stable")
    return np.take_along_axis(rows, order, axis=1), np.take_along_axis(similarities, order, axis=1)
