"""CONTRACT: what the distance named in encoder.json means, and the exact search every index is measured against."""

import numpy as np

# Rows per block: the products of 1,000 queries take 65 MB, and a search holds some copies of them.
BLOCK_ROWS = 16_384


def similarity(queries: np.ndarray, vectors: np.ndarray, distance: str) -> np.ndarray:
    """Returns float32 [queries, vectors]: the cosine, or 1 / (1 + distance) for `euclidean`; 1 is the same vector.

    queries, vectors: float32 [n, dimension], of unit length for `cosine`.
    """
    if distance == "cosine":
        return np.clip(queries @ vectors.T, -1.0, 1.0)
    # In float32 the difference below cancels: a vector of length 50 would be 0.05 away from itself.
    queries, vectors = queries.astype(np.float64), vectors.astype(np.float64)
    products = queries @ vectors.T
    squares = (queries**2).sum(axis=1)[:, None] - 2 * products + (vectors**2).sum(axis=1)[None, :]
    return from_squared_distance(squares)


def from_squared_distance(squares: np.ndarray) -> np.ndarray:
    """Returns the similarity for squared Euclidean distances; rounding below zero counts as zero."""
    return (1 / (1 + np.sqrt(np.maximum(squares, 0)))).astype(np.float32)


def to_score(similarities: np.ndarray, distance: str) -> np.ndarray:
    """Returns similarities as scores in [0, 1]; monotonous, not yet a calibrated probability."""
    return (1 + similarities) / 2 if distance == "cosine" else similarities


def exact_neighbours(
    queries: np.ndarray, vectors: np.ndarray, *, k: int, distance: str, hidden: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns (rows int64 [queries, k], similarities float32 [queries, k]), best first, by looking at every vector.

    With fewer than k vectors there are fewer columns. `vectors` may be memory-mapped: it is read block by block. Those
    that are `hidden`, bool [vectors], are not found: where too few others are left, rows are -1 and similarities -inf.
    """
    # The best of each block are kept: memory is that of one block, and not of queries × vectors.
    k = min(k, len(vectors))
    if not k:
        return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
    rows = np.empty((len(queries), 0), np.int64)
    similarities = np.empty((len(queries), 0), np.float32)
    for start in range(0, len(vectors), BLOCK_ROWS):
        block = similarity(queries, np.asarray(vectors[start : start + BLOCK_ROWS]), distance)
        if hidden is not None:
            block[:, hidden[start : start + BLOCK_ROWS]] = -np.inf
        columns = nearest(block, min(k, block.shape[1]))
        rows = np.concatenate([rows, columns + start], axis=1)
        similarities = np.concatenate([similarities, np.take_along_axis(block, columns, axis=1)], axis=1)
    columns = nearest(similarities, k)
    best = np.take_along_axis(similarities, columns, axis=1)
    return np.where(best == -np.inf, -1, np.take_along_axis(rows, columns, axis=1)), best


def nearest(similarities: np.ndarray, k: int) -> np.ndarray:
    """Returns the columns of the k largest similarities of each row, best first; of equal ones the lower column.

    similarities: float32 [rows, columns], k from 1 to the number of columns; returns int64 [rows, k].
    """
    if k == 1:
        # A partition takes four times as long.
        return similarities.argmax(axis=1)[:, None]
    columns = np.argpartition(-similarities, k - 1, axis=1)[:, :k]
    values = np.take_along_axis(similarities, columns, axis=1)
    # A partition chooses by chance among columns that are as near as the last one chosen: only such rows are chosen
    # again, by the slower way that knows the column, since hashes tie often and vectors hardly ever.
    last = values.min(axis=1, keepdims=True)
    tied = np.flatnonzero((similarities == last).sum(axis=1) > (values == last).sum(axis=1))
    if len(tied):
        all_columns = np.arange(similarities.shape[1])
        columns[tied] = np.partition(sort_keys(similarities[tied], all_columns), k - 1, axis=1)[:, :k] & 0xFFFFFFFF
    columns.sort(axis=1)
    order = np.argsort(-np.take_along_axis(similarities, columns, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, axis=1)


def sort_keys(similarities: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Returns whole numbers that sort by similarity, float32 descending, and then by `ties`: int64 of their shape.

    `ties` are whole numbers of 32 bits. Plain numbers are sorted several times faster than pairs of them.
    """
    # The bits of an IEEE 754 number sort as it does, once those below the sign are flipped for negative ones. Taken
    # from 0.0, both zeros are the same.
    bits = (np.float32(0) - similarities).view(np.int32)
    bits ^= (bits >> 31) & 0x7FFFFFFF
    return bits.astype(np.int64) << 32 | ties
