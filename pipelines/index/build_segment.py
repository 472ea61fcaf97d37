"""One segment: shards read, duplicates collapsed, ScaNN or exact search, measured against exact search."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.segments import (
    CONTENT_HASHES,
    PHOTOS,
    SCANN,
    VECTORS,
    SearchParameters,
    Segment,
    SegmentReference,
    segment_directory,
    segment_path,
)
from foundation.vectors import exact_neighbours, similarity
from pipelines.index.plan import IndexOptions, ShardReference, plan_search, wider_searches
from pipelines.index.read_shards import collapse, read_shards

PHOTO_ROW_GROUP_ROWS = 4_096  # a match reads one row group: a few milliseconds
# ScaNN learns 16 centres for each block of components, and refuses to from fewer rows.
FEWEST_SCANN_ROWS = 16
RECALL_QUERIES = 1_000
RECALL_NEIGHBOURS = 10


@dataclass(frozen=True)
class SegmentPlan:
    """One segment to build: its place among the others, its shards, and the digests of the runs they belong to."""

    number: int
    shards: list[ShardReference]
    runs: dict[str, str]


def build_segment(
    plan: SegmentPlan, *, store: Store, spec: EncoderSpec, encoder_digest: str, options: IndexOptions
) -> tuple[int, SegmentReference]:
    """Builds, measures and writes one segment, segment.json last; returns its number and how a snapshot names it.

    Each attempt writes under a name of its own: ScaNN builds differ, and a late attempt must not touch what another
    one finished.
    """
    segment_id = artifact.fresh_name()
    table, vectors = read_shards(store, plan.shards, dimension=spec.dimension, encoder_digest=encoder_digest)
    photos, vectors, hashes = collapse(table, vectors)
    with tempfile.TemporaryDirectory(prefix="firstseen-") as directory:
        local = Path(directory)
        write_photos(local / PHOTOS, photos)
        np.save(local / CONTENT_HASHES, hashes)
        if len(vectors) < max(options.exact_below, FEWEST_SCANN_ROWS) or sys.platform != "linux":
            np.save(local / VECTORS, vectors)
            parameters, recall, queries = SearchParameters(), 1.0, 0
        else:
            parameters, recall, queries = write_scann(local / SCANN, vectors, spec.distance, options)
        names = sorted(str(path.relative_to(local)) for path in local.rglob("*") if path.is_file())
        prefix = segment_directory(segment_id)
        for name in names:
            store.upload(f"{prefix}/{name}", local / name)
    segment = Segment(
        segment_id=segment_id,
        created_at=artifact.now(),
        encoder_id=spec.encoder_id,
        encoder_digest=encoder_digest,
        dimension=spec.dimension,
        distance=spec.distance,
        kind="scann" if parameters.leaves else "exact",
        rows=len(vectors),
        photos=int(np.sum(photos["occurrences"].combine_chunks().value_lengths().to_numpy())),
        parameters=parameters,
        recall_at_10=recall,
        recall_queries=queries,
        runs=plan.runs,
        shards=[shard.path for shard in plan.shards],
        files=artifact.record(store, prefix, names),
        versions={name: version(name) for name in ("numpy", "pyarrow", "scann")},
    )
    digest = artifact.finish(store, segment_path(segment_id), segment)
    reference = SegmentReference(segment_id=segment_id, digest=digest, rows=segment.rows, photos=segment.photos)
    return plan.number, reference


def write_photos(path: Path, photos: pa.Table) -> None:
    """Writes the photo table in small row groups, since a lookup fetches single rows."""
    parquet.write_table(photos, path, compression="zstd", row_group_size=PHOTO_ROW_GROUP_ROWS)


def write_scann(
    directory: Path, vectors: np.ndarray, distance: str, options: IndexOptions
) -> tuple[SearchParameters, float, int]:
    """Builds a tree with asymmetric hashing and exact re-scoring; returns (parameters, recall@10, queries measured).

    The search is widened until the recall is reached: no rebuild is needed for that. Raises ArtifactRefusedError if
    even the widest search stays under `min_recall`.
    """
    first = plan_search(len(vectors))
    scann = import_scann()
    measure = "dot_product" if distance == "cosine" else "squared_l2"
    with quiet_stderr():
        searcher = (
            scann.scann_ops_pybind.builder(vectors, RECALL_NEIGHBOURS, measure)
            .tree(
                num_leaves=first.leaves,
                num_leaves_to_search=first.leaves_to_search,
                training_sample_size=min(len(vectors), 250_000),
            )
            .score_ah(2, anisotropic_quantization_threshold=0.2 if distance == "cosine" else float("nan"))
            .reorder(first.reorder)
            .build()
        )
    queries = sample_queries(vectors, distance)
    _, best = exact_neighbours(queries, vectors, k=RECALL_NEIGHBOURS, distance=distance)
    for parameters in wider_searches(first, len(vectors)):
        rows, _ = searcher.search_batched(
            queries,
            final_num_neighbors=RECALL_NEIGHBOURS,
            leaves_to_search=parameters.leaves_to_search,
            pre_reorder_num_neighbors=parameters.reorder,
        )
        recall = recall_of(rows, queries, vectors, best, distance)
        if recall >= options.min_recall:
            break
    else:
        raise ArtifactRefusedError(
            f"recall@{RECALL_NEIGHBOURS} of the segment is {recall:.3f}, expected at least {options.min_recall}; "
            "nothing was published: raise --exact-below or lower --min-recall"
        )
    directory.mkdir()
    searcher.serialize(str(directory), relative_path=True)
    return parameters, float(recall), len(queries)


def sample_queries(vectors: np.ndarray, distance: str, *, seed: int = 0) -> np.ndarray:
    """Returns float32 [queries, dimension]: sampled vectors, moved a little, as an edited copy's would be.

    A vector itself would always be found, and the recall would flatter the index.
    """
    generator = np.random.default_rng(seed)
    rows = generator.choice(len(vectors), size=min(RECALL_QUERIES, len(vectors)), replace=False)
    sample = vectors[np.sort(rows)]
    lengths = np.linalg.norm(sample, axis=1, keepdims=True)
    noise = generator.standard_normal(sample.shape).astype(np.float32) / np.sqrt(sample.shape[1])
    moved = sample + 0.3 * lengths * noise
    if distance == "cosine":
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
    return moved


def recall_of(rows: np.ndarray, queries: np.ndarray, vectors: np.ndarray, best: np.ndarray, distance: str) -> float:
    """Returns the share of true neighbours found, counted by similarity: any of several equal ones will do.

    rows: int [queries, k] found; best: float32 [queries, k] the exact similarities, descending.
    """
    found = 0
    for query, candidates, true in zip(queries, rows, best, strict=True):
        distinct = np.unique(candidates[: len(true)].astype(np.int64))
        values = similarity(query[None], vectors[distinct], distance)[0]
        found += min(len(true), int((values >= true[-1] - 1e-5).sum()))
    return found / best.size


def import_scann() -> ModuleType:
    """Imports ScaNN without TensorFlow, which it would load for operations that nobody here uses: 0.1 s, not 7 s."""
    if "scann" in sys.modules or "tensorflow" in sys.modules:
        import scann

        return scann
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        import scann
    finally:
        del sys.modules["tensorflow"]
    return scann


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keeps what ScaNN's C++ prints while it builds off the terminal; nothing in it is addressed to a user."""
    sys.stderr.flush()
    saved, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
