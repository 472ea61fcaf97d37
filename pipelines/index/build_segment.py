"""Builds one segment: shards read, duplicates collapsed, ScaNN or exact search, measured against exact search."""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foundation.photos.local_features import FEATURE_RULE
from foundation.store import artifact
from foundation.store.content_hashes import find_hashes, hash_array, in_any, local_hashes, mapped_hashes
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, latest_occurrences
from foundation.store.segments import (
    CONTENT_HASHES,
    LOCAL_SCANN,
    PHOTOS,
    SCANN,
    VECTORS,
    LocalFeaturesRecord,
    Segment,
    SegmentReference,
    segment_directory,
    segment_path,
)
from pipelines.index.changes import read_changes, write_changes
from pipelines.index.collapse import Occurrences, SegmentRows, collapse, count_photos, removed_from
from pipelines.index.local_files import LocalFiles, write_local_files
from pipelines.index.local_scann import MOST_DESCRIPTORS, plan_local_trees, write_local_scann
from pipelines.index.mapped import save_on_disk
from pipelines.index.memory import most_descriptors
from pipelines.index.plan import IndexOptions, SegmentPlan, Surroundings
from pipelines.index.read_shards import LocalSizes, read_shards
from pipelines.index.scann_index import EXACT_SEARCH, FEWEST_SCANN_ROWS, VectorSearch, write_scann
from pipelines.runners.failures import naming


def build_segment(
    plan: SegmentPlan,
    *,
    store: Store,
    spec: EncoderSpec,
    encoder_digest: str,
    options: IndexOptions,
    surroundings: Surroundings,
) -> tuple[int, SegmentReference | None]:
    """Builds, measures and writes one segment, segment.json last; returns its number and how a snapshot names it.

    There is none if it would say nothing. Holds the segment in memory: see IndexOptions. Raises ArtifactRefusedError
    for damaged shards, and for recall under the bar.

    Each attempt writes under a name of its own: ScaNN builds differ, and a late attempt must not touch what another
    one finished. An error says which segment of the plan it struck.
    """
    with naming(f"segment {plan.number} of this index"):
        return plan.number, _write_segment(plan, store, spec, encoder_digest, options, surroundings)


def _write_segment(
    plan: SegmentPlan,
    store: Store,
    spec: EncoderSpec,
    encoder_digest: str,
    options: IndexOptions,
    surroundings: Surroundings,
) -> SegmentReference | None:
    said = surroundings.said
    changes = read_changes(store, surroundings.changes) if said is None else said
    with (
        tempfile.TemporaryDirectory(prefix="firstseen-") as directory,
        tempfile.TemporaryDirectory(prefix="firstseen-") as scratch,
    ):
        local = Path(directory)
        parts = Path(scratch)
        read = read_shards(store, plan.shards, parts, dimension=spec.dimension, encoder_digest=encoder_digest)
        left_out = _left_out(store, plan, read.photos.contents(), surroundings)
        rows = collapse(read, local / PHOTOS, changes=changes, left_out=left_out, shards_say=said is None)
        mentioned = rows.mentioned if plan.number else _others(changes, rows) | rows.mentioned
        if not len(rows.hashes) and not mentioned:
            return None
        np.save(local / CONTENT_HASHES, rows.hashes)
        content = SegmentContent(
            photos=rows.photos + count_photos(mentioned),
            changes=write_changes(local, mentioned, [*rows.removed, *removed_from(mentioned)]),
            runs=plan.runs,
            shards=[shard.path for shard in plan.shards],
            vectors=rows.vectors,
            local=_write_local(local, plan, read.local, rows, store, encoder_digest),
        )
        # A tree over local features takes what memory there is beside the rows.
        del changes, mentioned, rows
        return finish_segment(store, local, content, spec=spec, encoder_digest=encoder_digest, options=options)


class SegmentContent(NamedTuple):
    """What a segment holds whose photos, hashes, changes and local features were written into a folder.

    `photos` counts its occurrences and `changes` the contents that it mentions beside its own; `runs` and `shards` are
    those that its rows come from. `vectors` are float32 [rows, dimension], perhaps mapped from disk.
    """

    photos: int
    changes: int
    runs: dict[str, str]
    shards: list[str]
    vectors: np.ndarray
    local: LocalFiles | None


def finish_segment(
    store: Store,
    folder: Path,
    content: SegmentContent,
    *,
    spec: EncoderSpec,
    encoder_digest: str,
    options: IndexOptions,
) -> SegmentReference:
    """Adds what photos are found by, measured, to the files in a folder, and makes a segment of the store of them.

    segment.json is written last. Raises ArtifactRefusedError for recall under the bar.
    """
    # ScaNN and NumPy write files by path, which a bucket cannot give them: a segment is made here and then uploaded.
    found = _write_vectors(folder, content.vectors, spec, options)
    features = _write_trees(folder, content.local, len(content.vectors), options) if content.local else None
    segment_id = artifact.fresh_name()
    prefix = segment_directory(segment_id)
    # The index is uploaded only once its recall was measured: what is refused leaves nothing in the store.
    names = _upload(store, prefix, folder)
    segment = Segment(
        segment_id=segment_id,
        created_at=artifact.now(),
        encoder_id=spec.encoder_id,
        encoder_digest=encoder_digest,
        dimension=spec.dimension,
        distance=spec.distance,
        kind="scann" if found.parameters.leaves else "exact",
        rows=len(content.vectors),
        photos=content.photos,
        parameters=found.parameters,
        recall_at_10=found.recall,
        recall_queries=found.queries,
        frontier=found.frontier,
        runs=content.runs,
        shards=content.shards,
        files=artifact.record(store, prefix, names),
        local=features,
        changes=content.changes,
        versions=artifact.versions_of("numpy", "pyarrow", "scann"),
    )
    digest = artifact.finish(store, segment_path(segment_id), segment)
    return SegmentReference(segment_id=segment_id, digest=digest, rows=segment.rows, photos=segment.photos)


def _others(changes: Mapping[bytes, Sequence[Occurrence]], rows: SegmentRows) -> Occurrences:
    """Returns the changes of contents that lie elsewhere, perhaps in another segment of this build; one takes them."""
    contents = list(changes)
    held = find_hashes(rows.hashes, hash_array(contents)) >= 0
    return {one: latest_occurrences(changes[one]) for one, has_it in zip(contents, held, strict=True) if not has_it}


def _left_out(store: Store, plan: SegmentPlan, contents: np.ndarray, surroundings: Surroundings) -> np.ndarray:
    """Returns bool [rows of the shards]: contents, S32, that another segment holds already, or that were withdrawn."""
    each = np.array([shard.features == "local" for shard in plan.shards], bool)
    with_features = np.repeat(each, np.array([shard.rows for shard in plan.shards], np.int64))
    left_out = np.isin(contents, hash_array(surroundings.withdrawn))
    for paths, rows in ((surroundings.held, ~with_features), (surroundings.held_with_features, with_features)):
        with local_hashes(store, paths) as files:
            left_out[rows] |= in_any(mapped_hashes(files), contents[rows])
    return left_out


def _write_vectors(folder: Path, vectors: np.ndarray, spec: EncoderSpec, options: IndexOptions) -> VectorSearch:
    """Writes the vectors, float32 [rows, dimension], and what they are found by."""
    on_disk = save_on_disk(folder / VECTORS, vectors)
    # There are ScaNN wheels for Linux alone; elsewhere search is exact, which is slower and finds everything.
    if len(vectors) < max(options.exact_below, FEWEST_SCANN_ROWS) or sys.platform != "linux":
        return EXACT_SEARCH
    return write_scann(folder / SCANN, on_disk, spec.distance, options)


def _write_local(
    folder: Path, plan: SegmentPlan, sizes: LocalSizes, rows: SegmentRows, store: Store, encoder_digest: str
) -> LocalFiles | None:
    """Writes the local features, if the runs of any shard kept some."""
    if not len(rows.hashes) or all(shard.features == "none" for shard in plan.shards):
        return None
    return write_local_files(folder, store, plan.shards, sizes=sizes, rows=rows.rows, encoder_digest=encoder_digest)


def _write_trees(folder: Path, written: LocalFiles, rows: int, options: IndexOptions) -> LocalFeaturesRecord:
    """Writes what the local features of a segment of so many rows are found by."""
    most = most_descriptors(options.memory_limit_bytes, rows, most=MOST_DESCRIPTORS)
    trees = plan_local_trees(len(written.descriptors), most=most) if sys.platform == "linux" else []
    return LocalFeaturesRecord(
        feature_rule=FEATURE_RULE,
        rows=written.rows,
        features=len(written.descriptors),
        trees=trees,
        recall=write_local_scann(folder / LOCAL_SCANN, written.descriptors, trees) if trees else 1.0,
    )


def _upload(store: Store, prefix: str, folder: Path) -> list[str]:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    for name in names:
        store.upload(f"{prefix}/{name}", folder / name)
    return names
