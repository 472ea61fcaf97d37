"""Segments for tests, written by hand: which photos have which contents, what changed, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from foundation.photos.compressed_features import CompressedFeatures
from foundation.photos.local_features import FEATURE_RULE
from foundation.store import artifact
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, occurrence_type
from foundation.store.segments import (
    CHANGED_HASHES,
    CHANGES,
    CONTENT_HASHES,
    PHOTOS,
    REMOVED_HASHES,
    VECTORS,
    LocalFeaturesRecord,
    Segment,
    SegmentReference,
    segment_directory,
    segment_path,
)
from foundation.store.snapshots import Snapshot, publish, snapshot_numbers
from tests.builders import content, photo_columns, segment, shard_table, snapshot, unit_vectors
from tests.serving.search.local_segments import write_local

Changes = Mapping[bytes, Sequence[Occurrence]]


def occurrence(
    photo_id: str, archive: str = "file:///archive", *, generation: int = 1, is_removed: bool = False, **fields: Any
) -> Occurrence:
    """Returns an occurrence in an archive; its uri follows from its name."""
    uri = fields.pop("uri", f"{archive}/{photo_id}")
    return Occurrence(photo_id, uri, archive=archive, generation=generation, is_removed=is_removed, **fields)


def held(name: object, *occurrences: Occurrence, **columns: Any) -> dict[str, Any]:
    """Returns the row of the content of that name, which these photos have; its own columns take `columns`."""
    first = occurrences[0]
    row = photo_columns(first.photo_id, content_sha256=content(name))
    whose = {"uri": first.uri, "published_at": first.published_at, "caption": None}
    return row | whose | {"occurrences": [one.to_struct() for one in occurrences]} | columns


def add_segment(
    store: Store,
    encoder_id: str,
    segment_id: str,
    rows: Sequence[dict[str, Any]] = (),
    *,
    changes: Changes | None = None,
    vectors: np.ndarray | None = None,
    features: Sequence[CompressedFeatures] = (),
    thumbnails: Sequence[bytes] = (),
    **description: Any,
) -> SegmentReference:
    """Writes a finished segment that is searched exactly; vectors, features and thumbnails in the order of the rows."""
    spec, digest = read_spec(store, encoder_id)
    if vectors is None:
        vectors = unit_vectors(len(rows), spec.dimension)
    folder = store.local_root / segment_directory(segment_id)
    folder.mkdir(parents=True)
    if rows:
        order = sorted(range(len(rows)), key=lambda row: rows[row]["content_sha256"])
        _write_rows(folder, [rows[row] for row in order], vectors[order])
        if features:
            kept = [thumbnails[row] for row in order] if thumbnails else []
            write_local(folder, [features[row] for row in order], thumbnails=kept)
    if changes:
        write_changes(folder, changes)
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    described = {
        "segment_id": segment_id,
        "encoder_id": encoder_id,
        "encoder_digest": digest,
        "dimension": spec.dimension,
        "distance": spec.distance,
        "rows": len(rows),
        "photos": sum(len(row["occurrences"]) for row in rows),
        "changes": len(changes or ()),
        "local": local_record(features) if features else None,
        "files": artifact.record(store, segment_directory(segment_id), names),
    }
    written: Segment = segment(**{**described, **description})
    digest = artifact.finish(store, segment_path(segment_id), written)
    return SegmentReference(segment_id=segment_id, digest=digest, rows=written.rows, photos=written.photos)


def add_numbered(
    store: Store, encoder_id: str, segment_id: str, numbers: Iterable[int], vectors: np.ndarray, **of: Any
) -> SegmentReference:
    """Writes a segment of the contents with these numbers, `N.jpg` each, which have the vectors of that place."""
    numbers = list(numbers)
    rows = [held(number, occurrence(f"{number}.jpg", **of)) for number in numbers]
    return add_segment(store, encoder_id, segment_id, rows, vectors=vectors[numbers])


def local_record(features: Sequence[CompressedFeatures]) -> LocalFeaturesRecord:
    """Returns the description of these local features, without trees."""
    return LocalFeaturesRecord(feature_rule=FEATURE_RULE, rows=len(features), features=sum(map(len, features)))


def _write_rows(folder: Path, photos: Sequence[dict[str, Any]], vectors: np.ndarray) -> None:
    table = shard_table(list(photos), vectors=vectors).drop_columns(["embedding"])
    parquet.write_table(table, folder / PHOTOS, compression="zstd", row_group_size=4096)
    np.save(folder / CONTENT_HASHES, np.array([photo["content_sha256"] for photo in photos], "S32"))
    np.save(folder / VECTORS, vectors)


def write_changes(folder: Path, changes: Changes) -> None:
    """Writes the files of a segment that say what changed, into its folder."""
    hashes = sorted(changes)
    structs = [[one.to_struct() for one in changes[one_hash]] for one_hash in hashes]
    columns = {
        "content_sha256": pa.array(hashes, pa.binary(32)),
        "occurrences": pa.array(structs, pa.list_(occurrence_type())),
    }
    parquet.write_table(pa.table(columns), folder / CHANGES, compression="zstd", row_group_size=4096)
    removed = [one for one in hashes if any(each.is_removed for each in changes[one])]
    np.save(folder / CHANGED_HASHES, np.array(hashes, "S32"))
    np.save(folder / REMOVED_HASHES, np.array(removed, "S32"))


def publish_segments(store: Store, encoder_id: str, *segments: SegmentReference) -> Snapshot:
    """Makes a snapshot of these segments live."""
    _, digest = read_spec(store, encoder_id)
    number = max(snapshot_numbers(store), default=0) + 1
    made = snapshot(number, encoder_id=encoder_id, encoder_digest=digest, segments=list(segments))
    publish(store, made)
    return made
