"""Fetches from a group of segments what candidates are compared and answered with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from foundation.photos.compressed_features import COMPRESSED, CompressedFeatures
from foundation.store.occurrences import Occurrence, occurrence_type
from serving.batch.arrays import from_blobs, from_table, joined, read_arrays, split, to_blobs, to_table, write_arrays
from serving.batch.open_segments import OpenSegments
from serving.batch.prefixes import rows_with
from serving.batch.told import PHOTO, Told, contents_with, tell
from serving.batch.wanted import Wanted
from serving.search.local_index import Stored
from serving.search.segment import OpenSegment
from serving.search.snapshot import Place

PLACED = pa.schema([pa.field("segment", pa.int64()), pa.field("row", pa.int64()), *PHOTO])
SAID = pa.schema(
    [
        pa.field("segment", pa.int64()),
        pa.field("content_sha256", pa.binary(32)),
        pa.field("occurrences", pa.list_(occurrence_type())),
    ]
)


@dataclass(frozen=True, eq=False)
class Fetched:
    """What some segments say of the contents that are wanted, and what they keep of their photos.

    By the place of each photo: `photos` its columns, `stored` what it is verified with (of those that are not compared,
    without features and thumbnail), `vectors` float32 [dimension]. `said` is what a segment, by its number, says of
    where a content (32 bytes) occurs.

    A query takes 95 KB of the files of all groups together, 190 KB at a closer look: a dozen photos of 16 KB, some of
    which others want too.
    """

    photos: Mapping[Place, dict[str, Any]]
    stored: Mapping[Place, Stored]
    vectors: Mapping[Place, np.ndarray]
    said: Mapping[tuple[int, bytes], Sequence[Occurrence]]

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        photos = [dict(zip(Place._fields, place, strict=True)) | columns for place, columns in self.photos.items()]
        said = [
            {"segment": segment, "content_sha256": content, "occurrences": [one.to_struct() for one in occurrences]}
            for (segment, content), occurrences in self.said.items()
        ]
        arrays = {
            "photos": to_table(pa.Table.from_pylist(photos, PLACED)),
            "said": to_table(pa.Table.from_pylist(said, SAID)),
            "vector_places": _places(self.vectors),
            "vectors": np.array(list(self.vectors.values()), np.float32),
        }
        write_arrays(path, {**arrays, **_stored_arrays(self.stored)})

    @classmethod
    def read(cls, path: Path) -> "Fetched":
        """Reads what `write` wrote, equal to the last bit; raises ArtifactRefusedError for a damaged file."""
        arrays = read_arrays(path)
        photos = from_table(arrays["photos"]).to_pylist()
        said = from_table(arrays["said"]).to_pylist()
        vectors = zip(arrays["vector_places"].tolist(), arrays["vectors"], strict=True)
        return cls(
            {Place(one.pop("segment"), one.pop("row")): one for one in photos},
            _stored(arrays),
            {Place(*place): vector for place, vector in vectors},
            {
                (one["segment"], one["content_sha256"]): list(map(Occurrence.from_struct, one["occurrences"]))
                for one in said
            },
        )


def fetch(segments: OpenSegments, wanted: Wanted, told: Told | None = None) -> Fetched:
    """Returns what a group of segments has of what is wanted.

    Whoever fetches for several chunks hands in what `tell` returned for all of them: tables are then read once.
    """
    told = told or tell(segments, [wanted])
    return merge_fetched([Fetched({}, {}, {}, {}), *(_of_segment(*one, wanted, told) for one in segments.numbered)])


def merge_fetched(fetched: Sequence[Fetched]) -> Fetched:
    """Returns what all the groups have, at least one; in any order."""
    return Fetched(
        {place: held for one in fetched for place, held in one.photos.items()},
        {place: held for one in fetched for place, held in one.stored.items()},
        {place: held for one in fetched for place, held in one.vectors.items()},
        {key: held for one in fetched for key, held in one.said.items()},
    )


def _of_segment(number: int, segment: OpenSegment, wanted: Wanted, told: Told) -> Fetched:
    compared = set(rows_with(segment.hashes, wanted.compared).tolist())
    rows = sorted(compared.union(rows_with(segment.hashes, wanted.told).tolist()))
    stored = {Place(number, row): _kept(segment, row, is_compared=row in compared) for row in rows}
    mentioned = {(number, content) for content in contents_with(segment, wanted.compared, wanted.told)}
    voted = wanted.places()
    return Fetched(
        {Place(number, row): told.photos[Place(number, row)] for row in rows},
        {place: one for place, one in stored.items() if one},
        {Place(number, row): segment.vector(row) for row in voted[voted[:, 0] == number, 1].tolist()},
        {key: told.said[key] for key in sorted(mentioned)},
    )


def _kept(segment: OpenSegment, row: int, *, is_compared: bool) -> Stored | None:
    stored = segment.local.stored(row) if segment.local else None
    if stored is None or is_compared:
        return stored
    # That there is something decides how a photo is judged, though nobody compares it.
    features = stored.features
    nothing = CompressedFeatures(features.width, features.height, features.keypoints[:0], features.descriptors[:0])
    return Stored(nothing, b"")


def _places(places: Iterable[Place]) -> np.ndarray:
    return np.array(list(places), np.int64).reshape(-1, 2)


def _stored_arrays(stored: Mapping[Place, Stored]) -> dict[str, np.ndarray]:
    features = [one.features for one in stored.values()]
    thumbnails, thumbnail_sizes = to_blobs([one.thumbnail for one in stored.values()])
    return {
        "stored_places": _places(stored),
        "frames": np.array([(one.width, one.height, len(one)) for one in features], np.int64).reshape(-1, 3),
        "keypoints": joined([one.keypoints for one in features], np.empty((0, 4), np.float32)),
        "descriptors": joined([one.descriptors for one in features], np.empty((0, COMPRESSED), np.int8)),
        "thumbnails": thumbnails,
        "thumbnail_sizes": thumbnail_sizes,
    }


def _stored(arrays: Mapping[str, np.ndarray]) -> dict[Place, Stored]:
    widths, heights, counts = arrays["frames"].T
    keypoints, descriptors = split(arrays["keypoints"], counts), split(arrays["descriptors"], counts)
    features = map(CompressedFeatures, widths.tolist(), heights.tolist(), keypoints, descriptors)
    stored = map(Stored, features, from_blobs(arrays["thumbnails"], arrays["thumbnail_sizes"]))
    return {Place(*place): one for place, one in zip(arrays["stored_places"].tolist(), stored, strict=True)}
