"""Builds a ScaNN tree in pieces: it is learned from a sample of the vectors, and the others are then hashed into it."""

import math
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from foundation.memory import release_freed
from foundation.stderr import quiet_stderr
from foundation.store.segments import TREE_HASHES, LocalTree, SearchParameters
from pipelines.index.mapped import RowsOnDisk
from pipelines.index.memory import count_training_rows
from serving.search.scann_index import import_scann, load_searcher

# Rows that the 16 centres of each block are learned from.
HASH_TRAINING_ROWS = 25_000
# Size of the rows that are hashed at a time; ScaNN holds four copies of them meanwhile. Each time costs a fifth of a
# second for loading what was learned.
PIECE_BYTES = 16 * 2**20
# ScaNN's recommended values. Two dimensions share 16 centres: 4 bits for 8 bytes of float32. The threshold is T of the
# score-aware loss, which counts an error only for queries whose dot product with the vector is at least this share of
# the greatest (Guo et al. 2020, Accelerating Large-Scale Inference with Anisotropic Vector Quantization, section 3).
DIMENSIONS_PER_BLOCK = 2
ANISOTROPIC_THRESHOLD = 0.2
# ScaNN's files: what each of them is stands in the first, in blocks of text.
ASSETS = "scann_assets.pbtxt"
TOKENS = "datapoint_to_token.npy"
DATASET = "dataset.npy"
DATASET_ASSET = f'assets {{\n  asset_type: DATASET_NPY\n  asset_path: "{DATASET}"\n}}\n'


def write_tree(
    directory: Path, vectors: RowsOnDisk, parameters: SearchParameters | LocalTree, *, neighbours: int, distance: str
) -> Any:
    """Writes a tree as `write_tree_files` does, and returns ScaNN's searcher, loaded from there."""
    write_tree_files(directory, vectors, parameters, neighbours=neighbours, distance=distance)
    return load_searcher(directory)


def write_tree_files(
    directory: Path, vectors: RowsOnDisk, parameters: SearchParameters | LocalTree, *, neighbours: int, distance: str
) -> None:
    """Writes a tree over float32 [n, dimension] into a new directory.

    The tree holds hashes and no vectors. Searches that name no number of leaves use that of the parameters.
    """
    # ScaNN's own build of all rows holds the vectors three times and more. What it learns from a sample it writes into
    # files, and vectors that are loaded with those files are hashed as its build would have: byte by byte the same.
    directory.mkdir()
    _learn(directory, vectors.take(training_rows(len(vectors))), parameters, neighbours, distance)
    release_freed()
    pieces = list(_hash_pieces(directory, vectors))
    for name, parts in zip((TOKENS, TREE_HASHES), zip(*pieces, strict=True), strict=True):
        # A file that ScaNN wrote is replaced by one of another length.
        np.save(directory / name, np.concatenate(parts))
    del pieces, parts
    release_freed()


def training_rows(rows: int) -> np.ndarray:
    """Returns the numbers of the rows that a tree over so many is learned from, int64, ascending."""
    return np.sort(np.random.default_rng(0).choice(rows, count_training_rows(rows), replace=False))


def _learn(
    directory: Path, sample: np.ndarray, parameters: SearchParameters | LocalTree, neighbours: int, distance: str
) -> None:
    """Writes the tree of a sample: its leaves and its centres are those of all rows."""
    measure = "dot_product" if distance == "cosine" else "squared_l2"
    # Anisotropic quantization favours errors at right angles to a vector, which a dot product does not see; for
    # Euclidean distances every direction counts the same, and NaN is how ScaNN is told so.
    threshold = ANISOTROPIC_THRESHOLD if distance == "cosine" else math.nan
    builder = import_scann().scann_ops_pybind.builder(sample, neighbours, measure)
    tree = builder.tree(
        num_leaves=parameters.leaves,
        num_leaves_to_search=parameters.leaves_to_search,
        # Builds have no seed: two of the same rows differ, so that tests compare recall and never ids.
        training_sample_size=len(sample),
    ).score_ah(
        DIMENSIONS_PER_BLOCK,
        anisotropic_quantization_threshold=threshold,
        training_sample_size=min(len(sample), HASH_TRAINING_ROWS),
    )
    with quiet_stderr():
        # Absolute paths are ScaNN's default, and a store that was copied or moved would then not load.
        tree.build().serialize(str(directory), relative_path=True)


def _hash_pieces(directory: Path, vectors: RowsOnDisk) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the leaf and the hash of each row, int32 [piece] and uint8 [piece, blocks], piece by piece."""
    with tempfile.TemporaryDirectory(prefix="firstseen-") as name:
        learned, hashed = Path(name, "learned"), Path(name, "hashed")
        shutil.copytree(directory, learned, ignore=shutil.ignore_patterns("*.npy"))
        # ScaNN computes what its files lack: without those of the rows' leaves and hashes, both.
        assets = re.findall(r"assets \{.*?\}\n", (directory / ASSETS).read_text(), re.DOTALL)
        kept = [asset for asset in assets if ".npy" not in asset]
        (learned / ASSETS).write_text("".join([*kept, DATASET_ASSET]))
        hashed.mkdir()
        rows = max(1, PIECE_BYTES // vectors[:1].nbytes)
        for start in range(0, len(vectors), rows):
            np.save(learned / DATASET, vectors[start : start + rows])
            with quiet_stderr():
                load_searcher(learned).serialize(str(hashed), relative_path=True)
            yield np.load(hashed / TOKENS), np.load(hashed / TREE_HASHES)
