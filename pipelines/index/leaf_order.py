"""Sorts the hashes of a tree over local features by leaf, and writes what a search in its files needs beside them."""

from pathlib import Path

import numpy as np

from foundation.store.segments import TREE_CENTRES, TREE_CODEBOOK, TREE_HASHES, TREE_LEAF_STARTS, TREE_ORDER
from pipelines.index.mapped import BLOCK_ROWS, release
from pipelines.index.scann_tree import TOKENS
from serving.search.scann_index import import_scann

# What ScaNN calls its files of these centres.
PARTITIONER, CENTRES = "serialized_partitioner.pb", "ah_codebook.pb"


def sort_by_leaf(directory: Path) -> None:
    """Sorts a tree that ScaNN has written; the files of `foundation.store.segments.TREE_FILES` are then there.

    A search in the files reads a leaf at once. ScaNN loads a tree leaf by leaf, too: where those of 15 million hashes
    lay all over the file, that took six times as long. Memory is 12 bytes a hash beside pages that are mapped.
    """
    tokens = np.load(directory / TOKENS, allow_pickle=False)
    centres, codebook = _read_centres(directory)
    order = np.argsort(tokens, kind="stable").astype(np.uint32)
    np.save(directory / TREE_ORDER, order)
    np.save(directory / TREE_CENTRES, centres)
    np.save(directory / TREE_CODEBOOK, codebook)
    np.save(directory / TREE_LEAF_STARTS, np.concatenate([[0], np.cumsum(np.bincount(tokens, minlength=len(centres)))]))
    for name in (TOKENS, TREE_HASHES):
        _sort(directory / name, order)


def _sort(path: Path, order: np.ndarray) -> None:
    """Puts the rows of an array on disk into an order, block by block."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    beside = path.with_name(f"{path.name}.sorted")
    target = np.lib.format.open_memmap(beside, "w+", array.dtype, array.shape)
    for start in range(0, len(order), BLOCK_ROWS):
        target[start : start + BLOCK_ROWS] = array[order[start : start + BLOCK_ROWS]]
        release(target)
    release(array)
    beside.replace(path)


def _read_centres(directory: Path) -> tuple[np.ndarray, np.ndarray]:
    """Returns the centres of the leaves, float32 [leaves, 48], and of the hashes, float32 [24, 16, 2]."""
    import_scann()
    from scann.partitioning.partitioner_pb2 import SerializedPartitioner
    from scann.proto.centers_pb2 import CentersForAllSubspaces

    tree = SerializedPartitioner.FromString((directory / PARTITIONER).read_bytes()).kmeans.kmeans_tree.root
    hashes = CentersForAllSubspaces.FromString((directory / CENTRES).read_bytes())
    leaves = {child.leaf_id: centre.dimension for child, centre in zip(tree.children, tree.centers, strict=True)}
    blocks = [[centre.feature_value_float for centre in block.center] for block in hashes.subspace_centers]
    return np.array([leaves[leaf] for leaf in sorted(leaves)], np.float32), np.array(blocks, np.float32)
