"""Searches a ScaNN tree in its files, leaf by leaf: what a query needs is read, and nothing is loaded.

ScaNN takes a second and 600 MB to load a tree over 15 million descriptors, and a single query looks at them once. This
computes what ScaNN does (Guo et al. 2020, Accelerating Large-Scale Inference with Anisotropic Vector Quantization): a
hash names one of 16 centres for each pair of components; the products of a query with these centres are rounded to
whole steps and added up, and with the product of the query and the centre of the leaf they are the similarity.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from foundation.store.segments import TREE_CENTRES, TREE_CODEBOOK, TREE_HASHES, TREE_LEAF_STARTS, TREE_ORDER
from serving.search.row_reader import OpenRows, RowReader

# The largest product of a query is so many steps.
MOST_STEPS = 127
# Queries that are searched together: their tables take 12 KB each.
TOGETHER = 1_024
# Queries whose products with the centres of all leaves are in memory: 12 bytes for each of some thousand leaves.
RANKED_TOGETHER = 128
# Leaves that a thread is handed at a time: handing over fewer costs more than it saves.
LEAVES_TOGETHER = 32


class LeafScan:
    """A tree on disk whose hashes lie leaf by leaf, searched in so many leaves; threads may share it.

    `order`, uint32 [n], says which of the vectors that it was built of each hash is of.
    """

    def __init__(self, directory: Path, leaves_to_search: int):
        self._hashes = RowReader(directory / TREE_HASHES)
        self._order = RowReader(directory / TREE_ORDER)
        self.order = self._order.array
        self._starts, self._centres, self._codebook = (
            np.load(directory / name, allow_pickle=False) for name in (TREE_LEAF_STARTS, TREE_CENTRES, TREE_CODEBOOK)
        )
        self._searched = min(leaves_to_search, len(self._centres))

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """float32 [queries, dimension] → (places int64 [queries, k], similarities float32 [queries, k]), best first.

        A place is that of a vector among those that the tree was built of, or -1 with -inf where fewer are found.
        """
        found = [self._search(vectors[first : first + TOGETHER], k) for first in range(0, len(vectors), TOGETHER)]
        places, similarities = zip(*found, strict=True)
        return np.concatenate(places), np.concatenate(similarities)

    def _search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        searched, products = self._nearest_leaves(vectors)
        tasks, tables = _by_leaf(searched), _tables(vectors, self._codebook)
        # The best of each leaf, in a row of its own, so that threads need no lock.
        places, similarities = np.full((len(searched), k), -1), np.full((len(searched), k), -np.inf, np.float32)

        def look(hashes: OpenRows, order: OpenRows, first: int) -> None:
            for leaf, rows in tasks[first : first + LEAVES_TOGETHER]:
                start, end = self._starts[leaf : leaf + 2].tolist()
                if start == end:
                    continue
                codes, names = _joined(hashes.rows(start, end)), order.rows(start, end)
                for row, query in zip(rows.tolist(), (rows // self._searched).tolist(), strict=True):
                    best, near = tables.best(query, codes, k)
                    places[row, : len(best)] = names[best]
                    similarities[row, : len(best)] = near + products[row]

        with (
            self._hashes.opened() as hashes,
            self._order.opened() as order,
            ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="leaves") as pool,
        ):
            list(pool.map(partial(look, hashes, order), range(0, len(tasks), LEAVES_TOGETHER)))
        return _best_of(places.reshape(len(vectors), -1), similarities.reshape(len(vectors), -1), k)

    def _nearest_leaves(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the leaves that are searched for queries, int64, and the products of both, float32.

        Those of a query follow those of the one before it: [queries × leaves searched].
        """
        found = []
        for first in range(0, len(vectors), RANKED_TOGETHER):
            products = vectors[first : first + RANKED_TOGETHER] @ self._centres.T
            best = np.argpartition(products, products.shape[1] - self._searched, axis=1)[:, -self._searched :]
            found.append((best.ravel(), np.take_along_axis(products, best, axis=1).ravel()))
        leaves, products = zip(*found, strict=True)
        return np.concatenate(leaves), np.concatenate(products)


def _by_leaf(searched: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Returns each leaf that is searched, int64 [n], with its places there: it is read once for all of its queries."""
    places = np.argsort(searched, kind="stable")
    leaves, firsts = np.unique(searched[places], return_index=True)
    return list(zip(leaves.tolist(), np.split(places, firsts[1:]), strict=True))


class _Tables(NamedTuple):
    """The products of queries with centres, in whole steps, for two hashes that are joined to a byte.

    `steps` is float32 [queries, 1, 256, joined hashes], and `sizes` float32 [queries] what a step is worth.
    """

    steps: np.ndarray
    sizes: np.ndarray

    def best(self, query: int, codes: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the k best rows of joined hashes, uint8 [1, n, joined], in any order, and their products."""
        # OpenCV looks up, and BLAS adds up, several times faster than NumPy; sums of whole numbers are exact.
        sums = cv2.LUT(codes, self.steps[query])[0] @ np.ones(codes.shape[2], np.float32)
        best = np.argpartition(sums, len(sums) - k)[-k:] if len(sums) > k else np.arange(len(sums))
        return best, sums[best] * self.sizes[query]


def _tables(vectors: np.ndarray, codebook: np.ndarray) -> _Tables:
    """Returns the tables of queries, float32 [n, dimension]; codebook: float32 [blocks, centres, dimensions]."""
    blocks, centres, width = codebook.shape
    products = np.einsum("qbd,bcd->qbc", vectors.reshape(-1, blocks, width), codebook)
    sizes = np.maximum(np.abs(products).max(axis=(1, 2)), np.finfo(np.float32).tiny) / MOST_STEPS
    steps = np.rint(products / sizes[:, None, None]).transpose(0, 2, 1)
    joined = steps[:, :, None, 0::2] + steps[:, None, :, 1::2]
    return _Tables(joined.reshape(len(vectors), 1, centres**2, blocks // 2), sizes)


def _joined(hashes: np.ndarray) -> np.ndarray:
    """Returns hashes, uint8 [n, blocks] below 16, two to a byte: uint8 [1, n, blocks / 2]."""
    # Two hashes as one number of 16 bits are h + 256 g; times 4,097, without what overflows, 4,096 h + 256 g + h.
    pairs = hashes.view("<u2") * np.uint16(0x1001)
    pairs >>= 8
    return pairs.astype(np.uint8)[None]


def _best_of(places: np.ndarray, similarities: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the k best of each row, best first."""
    best = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(places, best, axis=1), np.take_along_axis(similarities, best, axis=1)
