"""Reads what large archives are made of: vectors and local features of real photos, and edits of some as queries."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.archives.archive import read
from foundation.encoder import SavedEncoder, load
from foundation.photos import photo
from foundation.photos.compressed_features import COMPRESSED, CompressedFeatures
from foundation.photos.local_features_bytes import unpack_keypoints
from foundation.store.files import Store
from foundation.store.run_tables import local_fields
from foundation.store.runs import Run, list_runs, read_run
from foundation.store.shipped import shipped_encoder
from serving.match.candidates import VOTING
from serving.match.decoded_query import DecodedQuery, decode_query
from serving.match.query import Query
from training.edits.degrade import to_jpeg
from training.edits.kinds import draw

# Photos that are planted, and asked for by an edit each.
PLANTED = 500
# Photos that edits put beside or behind the edited one.
OTHERS = 8


@dataclass(frozen=True, eq=False)
class RealPhotos:
    """Photos as shards hold them: vectors float32 [photos, dimension] and local features.

    Those of photo n are `starts[n]` to `starts[n + 1]` of `keypoints`, uint16 [features, 4], and of `descriptors`, int8
    [features, 64]. `frames` are uint16 [photos, 2].
    """

    uris: list[str]
    vectors: np.ndarray
    frames: np.ndarray
    starts: np.ndarray
    keypoints: np.ndarray
    descriptors: np.ndarray

    def __len__(self) -> int:
        """The number of photos."""
        return len(self.vectors)


@dataclass(frozen=True, eq=False)
class Asked:
    """Edits of planted photos: vectors float32 [queries, dimension], and the features of the views that vote."""

    vectors: np.ndarray
    views: list[list[CompressedFeatures]]


def encode_once(archives: Sequence[str], store: Path) -> None:
    """Encodes each archive into a store by the command line, unless it was before."""
    for archive in archives:
        command = [sys.executable, "-m", "firstseen", "encode", archive, "--store", str(store), "--max-rejects", "1"]
        subprocess.run(command, check=True)  # noqa: S603 (our own command)


def read_photos(store: Store, runs: Sequence[Run]) -> RealPhotos:
    """Returns the photos of some runs, in the order of their uris."""
    import pyarrow as pa
    from pyarrow import parquet

    names = ["uri", "embedding", *(field.name for field in local_fields() if field.name != "thumbnail")]
    parts = [
        parquet.read_table(store.local_root / run.directory / name, columns=names)
        for run in runs
        for name in run.shards
    ]
    table = pa.concat_tables([part.replace_schema_metadata(None) for part in parts]).sort_by("uri").combine_chunks()
    dimension = table["embedding"].type.list_size
    descriptors = np.frombuffer(b"".join(table["descriptors"].to_pylist()), np.int8).reshape(-1, COMPRESSED)
    keypoints = np.frombuffer(b"".join(table["keypoints"].to_pylist()), "<u2").reshape(-1, 4)
    counts = [len(one) // COMPRESSED for one in table["descriptors"].to_pylist()]
    return RealPhotos(
        table["uri"].to_pylist(),
        table["embedding"].combine_chunks().flatten().to_numpy().astype(np.float32).reshape(-1, dimension),
        np.stack([table["frame_width"].to_numpy(), table["frame_height"].to_numpy()], axis=1),
        np.concatenate([[0], np.cumsum(counts)]),
        keypoints,
        descriptors,
    )


def runs_of(store: Store, *, planted: bool) -> list[Run]:
    """Returns the run of the archive that is planted, the first one, or those that everything else is made of."""
    encoder_id = shipped_encoder()
    runs = [read_run(store, encoder_id, name)[0] for name in list_runs(store, encoder_id)]
    return runs[:1] if planted else runs[1:]


def choose_planted(photos: RealPhotos) -> np.ndarray:
    """Returns the rows of photos that are planted, int64 ascending; the others are of the same kind, and held out."""
    return np.sort(np.random.default_rng(1).permutation(len(photos))[:PLANTED])


def edits_of(store: Store, photos: RealPhotos, rows: np.ndarray, *, kinds: Sequence[str]) -> Asked:
    """Edits some photos, each in the next one of some ways, and decodes the edits as a lookup does."""
    encoder = load(store, shipped_encoder())
    decoded = [
        _edited(encoder, photos, int(row), number, kinds[number % len(kinds)]) for number, row in enumerate(rows)
    ]
    vectors = encoder.encode(np.stack([one.photo.pixels for one in decoded]))
    return Asked(vectors, [[one.pictured.view(view) for view in VOTING] for one in decoded if one.pictured])


def edited(uris: Sequence[str], row: int, number: int, kind: str) -> bytes:
    """Returns a photo edited in one way, as a JPEG; the number tells how strongly, and what is put beside it."""
    generator = np.random.default_rng(number)
    beside = generator.choice(len(uris), OTHERS, replace=False)
    source, *others = (_pixels(uris[one]) for one in (row, *beside))
    return to_jpeg(draw(kind, generator, others)(source))


def _edited(encoder: SavedEncoder, photos: RealPhotos, row: int, number: int, kind: str) -> DecodedQuery:
    data = edited(photos.uris, row, number, kind)
    decoded = decode_query(Query(str(number), lambda: data), encoder.spec, with_features=True)
    assert isinstance(decoded, DecodedQuery)
    return decoded


def _pixels(uri: str) -> np.ndarray:
    return photo.decode(read(uri), with_metadata=False).pixels


def write_asked(path: Path, asked: Asked) -> None:
    """Writes queries into one file, without pickles."""
    flat = [view for views in asked.views for view in views]
    np.savez(
        path,
        vectors=asked.vectors,
        frames=np.array([(view.width, view.height, len(view)) for view in flat]),
        keypoints=np.concatenate([view.keypoints for view in flat]),
        descriptors=np.concatenate([view.descriptors for view in flat]),
    )


def read_asked(path: Path) -> Asked:
    """Returns queries as they were written."""
    with np.load(path, allow_pickle=False) as arrays:
        frames, keypoints, descriptors = (arrays[name] for name in ("frames", "keypoints", "descriptors"))
        ends = np.cumsum(frames[:, 2])
        flat = [
            CompressedFeatures(int(width), int(height), keypoints[end - count : end], descriptors[end - count : end])
            for (width, height, count), end in zip(frames, ends, strict=True)
        ]
        views = [flat[first : first + len(VOTING)] for first in range(0, len(flat), len(VOTING))]
        return Asked(arrays["vectors"], views)


def keypoints_of(photos: RealPhotos, number: int) -> np.ndarray:
    """Returns the keypoints of one photo, float32 [n, 4]."""
    return unpack_keypoints(photos.keypoints[photos.starts[number] : photos.starts[number + 1]])
