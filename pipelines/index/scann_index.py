"""Builds the ScaNN index of a segment, and widens its search until it finds as much as it should."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from foundation.errors import ArtifactRefusedError
from foundation.stderr import quiet_stderr
from foundation.store.segments import LocalTree, SearchParameters
from foundation.vectors import exact_neighbours, similarity
from pipelines.index.plan import IndexOptions, plan_search, wider_searches
from serving.search.scann_index import ScannIndex, import_scann

# ScaNN learns 16 centres for each block of components, and refuses to from fewer rows.
FEWEST_SCANN_ROWS = 16
# Rows that the leaves are learned from: more make them hardly better, and the build slower.
TRAINING_SAMPLE = 250_000
# ScaNN's recommended values. Two dimensions share 16 centres: 4 bits for 8 bytes of float32. The threshold is T of the
# score-aware loss, which counts an error only for queries whose dot product with the vector is at least this share of
# the greatest (Guo et al. 2020, Accelerating Large-Scale Inference with Anisotropic Vector Quantization, section 3).
DIMENSIONS_PER_BLOCK = 2
ANISOTROPIC_THRESHOLD = 0.2
# A share measured with 1,000 queries of 10 neighbours is known to about half a per cent.
RECALL_QUERIES = 1_000
RECALL_NEIGHBOURS = 10
# How far a query is moved, as a share of its vector's length: its cosine with the vector is then about 0.96.
QUERY_NOISE = 0.3
# ScaNN and NumPy add float32 products in another order, so that the last neighbour may seem a little too far.
SIMILARITY_TOLERANCE = 1e-5


def write_scann(
    directory: Path, vectors: np.ndarray, distance: str, options: IndexOptions
) -> tuple[SearchParameters, float, int]:
    """Builds a tree with asymmetric hashing and exact re-scoring; returns (parameters, recall@10, queries measured).

    The search is widened until the recall is reached: no rebuild is needed for that. Raises ArtifactRefusedError if
    even the widest search stays under `min_recall`.
    """
    first = plan_search(len(vectors))
    searcher = _build(vectors, distance, first)
    index = ScannIndex(searcher, distance=distance, rows=len(vectors))
    queries = sample_queries(vectors, distance)
    _, best = exact_neighbours(queries, vectors, k=RECALL_NEIGHBOURS, distance=distance)
    # The first width that reaches the bar is written into segment.json, and every lookup searches with it.
    for parameters in wider_searches(first, len(vectors)):
        rows, _ = index.search(queries, RECALL_NEIGHBOURS, parameters)
        recall = recall_of(rows, queries, vectors, best, distance)
        if recall >= options.min_recall:
            break
    else:
        raise ArtifactRefusedError(
            f"recall@{RECALL_NEIGHBOURS} of the segment is {recall:.3f}, expected at least {options.min_recall}; "
            "nothing was published: raise --exact-below or lower --min-recall"
        )
    write_tree(searcher, directory)
    return parameters, float(recall), len(queries)


def _build(vectors: np.ndarray, distance: str, parameters: SearchParameters) -> Any:
    """Returns ScaNN's own searcher, which holds about three times the vectors while it is built."""
    tree = hashed_tree(vectors, parameters, neighbours=RECALL_NEIGHBOURS, distance=distance)
    with quiet_stderr():
        # Hashing alone is off by up to 0.025 of score; the float32 vectors, which the index keeps for this, score the
        # candidates exactly, and are what a decoder shows.
        return tree.reorder(parameters.reorder).build()


def hashed_tree(
    vectors: np.ndarray, parameters: SearchParameters | LocalTree, *, neighbours: int, distance: str
) -> Any:
    """Returns ScaNN's builder of a tree over float32 [n, dimension], its vectors hashed asymmetrically.

    Searches that name no number of leaves use that of the parameters, which the files of the tree keep.
    """
    measure = "dot_product" if distance == "cosine" else "squared_l2"
    # Anisotropic quantization favours errors at right angles to a vector, which a dot product does not see; for
    # Euclidean distances every direction counts the same, and NaN is how ScaNN is told so.
    threshold = ANISOTROPIC_THRESHOLD if distance == "cosine" else math.nan
    builder = import_scann().scann_ops_pybind.builder(vectors, neighbours, measure)
    tree = builder.tree(
        num_leaves=parameters.leaves,
        num_leaves_to_search=parameters.leaves_to_search,
        # Builds have no seed: two of the same rows differ, so that tests compare recall and never ids.
        training_sample_size=min(len(vectors), TRAINING_SAMPLE),
    )
    return tree.score_ah(DIMENSIONS_PER_BLOCK, anisotropic_quantization_threshold=threshold)


def write_tree(tree: Any, directory: Path) -> None:
    """Writes what ScaNN built into a new directory."""
    directory.mkdir()
    # Absolute paths are ScaNN's default, and a store that was copied or moved would then not load.
    tree.serialize(str(directory), relative_path=True)


def sample_queries(vectors: np.ndarray, distance: str, *, seed: int = 0) -> np.ndarray:
    """Returns float32 [queries, dimension]: sampled vectors, moved a little, as an edited copy's would be.

    A vector itself would always be found, and the recall would flatter the index. The seed is fixed, so that two
    builds are judged by the same queries.
    """
    generator = np.random.default_rng(seed)
    rows = generator.choice(len(vectors), size=min(RECALL_QUERIES, len(vectors)), replace=False)
    sample = vectors[np.sort(rows)]
    lengths = np.linalg.norm(sample, axis=1, keepdims=True)
    noise = generator.standard_normal(sample.shape).astype(np.float32) / math.sqrt(sample.shape[1])
    moved = sample + QUERY_NOISE * lengths * noise
    if distance == "cosine":
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    return moved


def recall_of(rows: np.ndarray, queries: np.ndarray, vectors: np.ndarray, best: np.ndarray, distance: str) -> float:
    """Returns the share of true neighbours found, counted by similarity: any of several equal ones will do.

    rows: int64 [queries, k] found, -1 for none; best: float32 [queries, k] the exact similarities, descending.
    """
    # By similarity and not by row: of ten copies that are equally near, exact search names any and ScaNN any other.
    found = 0
    for query, candidates, true in zip(queries, rows, best, strict=True):
        distinct = np.unique(candidates[candidates >= 0])
        values = similarity(query[None], vectors[distinct], distance)[0]
        found += min(len(true), int((values >= true[-1] - SIMILARITY_TOLERANCE).sum()))
    return found / best.size
