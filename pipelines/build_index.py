"""The index job: embedding shards → segments, measured against exact search, then one new snapshot."""

import contextlib
import os
import sys
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import apache_beam as beam
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from pipelines import embedding_schema, index_manifest, runners, segment_plan
from pipelines.distance import exact_neighbours, similarity
from pipelines.embedding_schema import Run
from pipelines.index_manifest import SearchParameters, Segment, SegmentReference, Snapshot
from pipelines.segment_plan import IndexOptions, ShardReference
from pipelines.segment_rows import collapse, read_shards
from training import artifact, encoder_spec
from training.encoder_spec import EncoderSpec
from training.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from training.store import Store

PHOTO_ROW_GROUP_ROWS = 4_096  # a match reads one row group: a few milliseconds
RECALL_QUERIES = 1_000
RECALL_NEIGHBOURS = 10


@dataclass(frozen=True)
class SegmentPlan:
    """One segment to build; its name is fixed beforehand, so that a retry finishes the same one."""

    segment_id: str
    shards: list[ShardReference]
    runs: dict[str, str]


@dataclass(frozen=True)
class IndexResult:
    """The snapshot that is live now, and what was added to it; `added` is empty if nothing was new."""

    snapshot: Snapshot
    added: list[Segment] = field(default_factory=list)


def build_index(
    store: Store,
    *,
    encoder: str | None = None,
    options: IndexOptions | None = None,
    runner: str = runners.LOCAL,
    beam_flags: Sequence[str] = (),
) -> IndexResult:
    """Indexes every run that the live snapshot does not hold yet, and publishes the next snapshot.

    With another encoder than the live snapshot's, all runs of that encoder are indexed and replace it. Raises
    InputNotFoundError without any run, ArtifactRefusedError for damage or recall under the bar, PublishRaceLostError
    if another publisher was faster.
    """
    options = options or IndexOptions()
    pipeline = runners.create_pipeline(runner, beam_flags=list(beam_flags))
    live = index_manifest.live_snapshot(store)
    spec, digest = choose_encoder(store, encoder, live)
    kept = live.segments if live and live.encoder_digest == digest else []
    runs = runs_to_index(store, spec, digest, kept)
    if not runs:
        return _nothing_new(store, spec, live, kept)
    plans = plan(runs, options)
    _ = (
        pipeline
        | "ListSegments" >> beam.Create(plans)
        | "SpreadSegments" >> beam.Reshuffle()
        | "BuildSegment" >> beam.Map(build_segment, store=store, spec=spec, encoder_digest=digest, options=options)
    )
    runners.run_to_end(pipeline)
    added = [_read_built(store, plan.segment_id) for plan in plans]
    snapshot = next_snapshot(live, spec, digest, [*kept, *(reference for _, reference in added)])
    index_manifest.publish(store, snapshot)
    return IndexResult(snapshot, [segment for segment, _ in added])


def choose_encoder(store: Store, encoder: str | None, live: Snapshot | None) -> tuple[EncoderSpec, str]:
    """Returns (spec, digest) of the encoder asked for, else of the live snapshot's, else of the only one with runs."""
    if encoder is None and live is not None:
        encoder = live.encoder_id
    if encoder is None:
        known = embedding_schema.list_encoders_with_runs(store)
        if not known:
            raise InputNotFoundError(f"store {store.uri} holds no embeddings; `firstseen encode` makes some")
        if len(known) > 1:
            raise UsageError(
                f"store {store.uri} has embeddings of {len(known)} encoders; choose one with --encoder: "
                + ", ".join(known)
            )
        encoder = known[0]
    spec, digest = encoder_spec.read_spec(store, encoder)
    if live and live.encoder_id == spec.encoder_id and live.encoder_digest != digest:
        raise ArtifactRefusedError(
            f"encoder {spec.encoder_id} has the digest {digest[:12]}…, snapshot {live.number} was built with "
            f"{live.encoder_digest[:12]}…; restore encoder.json from a copy"
        )
    return spec, digest


def runs_to_index(
    store: Store, spec: EncoderSpec, encoder_digest: str, kept: Sequence[SegmentReference]
) -> list[tuple[Run, str]]:
    """Returns (run, digest) of the finished runs that no kept segment holds, oldest first."""
    indexed = {run_id for reference in kept for run_id in index_manifest.read_segment(store, reference).runs}
    names = [name for name in embedding_schema.list_runs(store, spec.encoder_id) if name not in indexed]
    runs = [embedding_schema.read_run(store, spec.encoder_id, name) for name in names]
    for run, _ in runs:
        if run.encoder_digest != encoder_digest:
            raise ArtifactRefusedError(
                f"run {run.run_id} was made by the encoder with digest {run.encoder_digest[:12]}…, the store's "
                f"{spec.encoder_id} has {encoder_digest[:12]}…; encode again or restore encoder.json"
            )
    return [(run, digest) for run, digest in runs if run.rows]


def plan(runs: Sequence[tuple[Run, str]], options: IndexOptions) -> list[SegmentPlan]:
    """Returns the segments to build."""
    shards = segment_plan.list_shards([run for run, _ in runs])
    digest_by_directory = {run.directory: (run.run_id, digest) for run, digest in runs}
    stamp = f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}"
    return [
        SegmentPlan(
            segment_id=f"{stamp}-{uuid.uuid4().hex[:8]}",
            shards=group,
            runs=dict(sorted({digest_by_directory[shard.path.rsplit("/", 1)[0]] for shard in group})),
        )
        for group in segment_plan.plan_segments(shards, max_rows=options.max_segment_rows)
    ]


def build_segment(
    plan: SegmentPlan, *, store: Store, spec: EncoderSpec, encoder_digest: str, options: IndexOptions
) -> None:
    """Builds, measures and writes one segment; segment.json last. Does nothing if a retry finds it finished."""
    if store.exists(index_manifest.segment_path(plan.segment_id)):
        return
    table, vectors = read_shards(store, plan.shards, dimension=spec.dimension, encoder_digest=encoder_digest)
    photos, vectors, hashes = collapse(table, vectors)
    with tempfile.TemporaryDirectory(prefix="firstseen-") as directory:
        local = Path(directory)
        write_photos(local / index_manifest.PHOTOS, photos)
        np.save(local / index_manifest.CONTENT_HASHES, hashes)
        if len(vectors) < options.exact_below or sys.platform != "linux":
            np.save(local / index_manifest.VECTORS, vectors)
            parameters, recall, queries = SearchParameters(), 1.0, 0
        else:
            parameters, recall, queries = write_scann(local / index_manifest.SCANN, vectors, spec.distance, options)
        names = sorted(str(path.relative_to(local)) for path in local.rglob("*") if path.is_file())
        prefix = index_manifest.segment_directory(plan.segment_id)
        for name in names:
            store.upload(f"{prefix}/{name}", local / name)
    segment = Segment(
        segment_id=plan.segment_id,
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
    artifact.finish(store, index_manifest.segment_path(plan.segment_id), segment)


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
    first = segment_plan.plan_search(len(vectors))
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
    for parameters in segment_plan.wider_searches(first, len(vectors)):
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


def next_snapshot(live: Snapshot | None, spec: EncoderSpec, digest: str, segments: list[SegmentReference]) -> Snapshot:
    """Returns the snapshot after the live one."""
    return Snapshot(
        number=live.number + 1 if live else 1,
        parent=live.number if live else None,
        created_at=artifact.now(),
        reason="index",
        encoder_id=spec.encoder_id,
        encoder_digest=digest,
        segments=segments,
    )


def _read_built(store: Store, segment_id: str) -> tuple[Segment, SegmentReference]:
    segment, digest = artifact.read(store, index_manifest.segment_path(segment_id), Segment)
    return segment, SegmentReference(segment_id=segment_id, digest=digest, rows=segment.rows, photos=segment.photos)


def _nothing_new(
    store: Store, spec: EncoderSpec, live: Snapshot | None, kept: Sequence[SegmentReference]
) -> IndexResult:
    if live is None or not kept:
        raise InputNotFoundError(
            f"store {store.uri} holds no embeddings of {spec.encoder_id}; `firstseen encode` makes some"
        )
    return IndexResult(live)
