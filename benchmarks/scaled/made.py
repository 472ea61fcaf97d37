"""Makes as many vectors as are wanted of some real ones, such as the same world might hold.

A made vector is drawn from the normal distribution of a real one's neighbours, its centre pulled halfway to their mean:
the Manifold Parzen windows of Vincent and Bengio (NIPS 2002) as a smoothed bootstrap (Silverman, "Density Estimation",
1986, section 6.4), which does not spread the data. The clouds around real vectors overlap, and are as flat as the data
are there. Noise of equal size in all directions would make a ball around each real vector, far from every other one:
clusters, which a tree keeps together by itself.
"""

from collections.abc import Iterator

import numpy as np

# Neighbours that span a cloud. Too few make it flatter than the data are; the mean of too many is that of everything.
NEIGHBOURS = 64
# How far centres are pulled to the mean of the neighbours. With 0.5 the neighbours of 12,000 made vectors are as near
# as those of as many real ones, and of 65,000 and 262,000 as near as real ones of that dimension would be.
PULL = 0.5
# Real vectors whose clouds are in memory at a time: 32 MB with 64 neighbours of 128 numbers.
CLOUDS = 1_024


class Maker:
    """Draws vectors, float32 [n, dimension] of unit length, from the clouds around real ones.

    `near` int [n, k] are the rows of the neighbours of each of the real ones, float32 or int8 [n, dimension].
    """

    def __init__(self, real: np.ndarray, near: np.ndarray):
        self._real = real
        self._near = near

    def draw(self, generator: np.random.Generator, rows: np.ndarray, times: int) -> np.ndarray:
        """Returns so many vectors of the cloud of each of these real rows, float32 [len(rows), times, dimension]."""
        parts = [self._clouds(generator, rows[start : start + CLOUDS], times) for start in range(0, len(rows), CLOUDS)]
        return np.concatenate(parts)

    def _clouds(self, generator: np.random.Generator, rows: np.ndarray, times: int) -> np.ndarray:
        near = unit(self._real[self._near[rows]].astype(np.float32))
        middle = near.mean(axis=1, keepdims=True)
        own = unit(self._real[rows].astype(np.float32))[:, None]
        weights = generator.standard_normal((len(rows), times, near.shape[1]), np.float32)
        # The covariance of these sums is that of the neighbours.
        moves = np.matmul(weights, near - middle) / np.float32(np.sqrt(near.shape[1]))
        return unit(middle + (1 - PULL) * (own - middle) + moves)


def blocks(maker: Maker, real: int, rows: int, *, first: int, block_rows: int) -> Iterator[np.ndarray]:
    """Yields made rows from `first`, the beginning of a block, to before `rows`, block by block.

    Each block is drawn from the clouds of all real rows with a seed of its own, so that a smaller archive is the
    beginning of a larger one.
    """
    for start in range(first, rows, block_rows):
        generator = np.random.default_rng(start // block_rows)
        drawn = maker.draw(generator, np.arange(real), -(-block_rows // real))
        chosen = generator.permutation(drawn.shape[0] * drawn.shape[1])[: min(block_rows, rows - start)]
        yield drawn.reshape(-1, drawn.shape[-1])[chosen]


def unit(vectors: np.ndarray) -> np.ndarray:
    """Returns vectors, float32 [..., dimension], of unit length."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.finfo(np.float32).tiny)
