"""Encodes and indexes small archives night after night: without a model and without Beam, every decode counted."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from foundation.photos import photo
from foundation.store.encoders import EncoderSpec, list_encoders, read_spec
from foundation.store.files import Store
from foundation.store.retractions import retracted_photos
from foundation.store.runs import Run
from foundation.store.segments import CHANGED_HASHES, CONTENT_HASHES, segment_directory, whole_hash
from foundation.store.snapshots import Snapshot, live_snapshot
from pipelines.encode import chunks
from pipelines.encode.job import EncodeResult, encode
from pipelines.encode.plan import EncodeOptions
from pipelines.encode.work import Work
from pipelines.index.job import IndexResult, build_index
from pipelines.index.plan import IndexOptions
from serving.search.snapshot import OpenSnapshot
from tests.builders import add_encoder
from tests.photos import jpeg, scene, write_catalog

# Long before any run: what was written while a run began would be read again in the next one.
LONG_AGO = 1_500_000_000
PICTURES = 64
# Of a content that is none of the pictures.
NO_PICTURE = -1
Words = Mapping[str, Mapping[str, str]]


@cache
def picture(number: int) -> bytes:
    """Returns the bytes of a small photo; another number gives another picture."""
    return jpeg(scene(number, width=24, height=16))


@cache
def hash_of(number: int) -> bytes:
    """Returns the content hash of a picture."""
    return hashlib.sha256(picture(number)).digest()


class Found(NamedTuple):
    """A photo that the live snapshot answers: its archive's folder, its name, its picture's number, its caption."""

    archive: str
    photo_id: str
    picture: int
    caption: str | None = None


class StubEncoder:
    """An encoder that takes a photo's first pixels for its vector."""

    def __init__(self, spec: EncoderSpec):
        self.spec = spec

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        """Returns float32 [n, dimension] of unit length."""
        vectors = pixels.reshape(len(pixels), -1)[:, : self.spec.dimension].astype(np.float32) + 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class DecodersHere:
    """Decodes in a thread of this process: a decoder process takes a quarter of a second to start."""

    def __init__(self, threads: ThreadPoolExecutor):
        self.threads = threads

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Returns what the function does."""
        return function(*arguments)


@contextmanager
def decoders_here() -> Iterator[DecodersHere]:
    """Yields the decoders of one step."""
    with ThreadPoolExecutor(1) as threads:
        yield DecodersHere(threads)


@dataclass
class Nights:
    """A store with one encoder, and archives beside it.

    `read` has the name of every photo that was read, `decoded` the content (hex) of every one that was decoded.
    """

    folder: Path
    store: Store
    read: list[str] = field(default_factory=list)
    decoded: list[str] = field(default_factory=list)
    clock: int = LONG_AGO

    def path(self, name: str, archive: str = "archive") -> Path:
        """Returns where a photo lies."""
        return self.folder / archive / name

    def put(self, name: str, number: int, *, archive: str = "archive", at: int | None = None) -> Path:
        """Writes a photo, later than all before, or at the given second."""
        self.clock += 10
        path = self.path(name, archive)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number))
        os.utime(path, (at or self.clock,) * 2)
        return path

    def encode(self, archive: str = "archive", *, words: Words | None = None, **options: Any) -> EncodeResult:
        """Encodes an archive in chunks of three; `words` is tonight's catalog: columns by photo_id."""
        catalog = self._write_catalog(words) if words else None
        small = {"chunk_photos": 3, "batch_size": 2, "features": "none", "catalog": catalog}
        return encode(EncodeOptions(archive=str(self.folder / archive), store=self.store.uri, **{**small, **options}))

    def index(self, *, encoder: str | None = None, **options: Any) -> IndexResult:
        """Indexes what waits."""
        return build_index(self.store, encoder=encoder, options=IndexOptions(**options))

    def night(self, archive: str = "archive", **options: Any) -> EncodeResult:
        """Encodes an archive and indexes it."""
        result = self.encode(archive, **options)
        self.index()
        return result

    def found(self) -> set[Found]:
        """Returns every photo that the live snapshot answers, each with a vector that it is found by."""
        live = live_snapshot(self.store)
        assert live
        with OpenSnapshot(self.store, live) as opened:
            return {one for content in mentioned(self.store, live) for one in self._photos(opened, content)}

    def _photos(self, opened: OpenSnapshot, content: bytes) -> Iterator[Found]:
        occurrences = opened.occurrences(content)
        (places,) = opened.places([content])
        # What lies somewhere has a vector, and what lies nowhere is not found by one, unless its names were withdrawn.
        assert places or not occurrences
        assert occurrences or not places or retracted_photos(self.store)
        number = next((number for number in range(PICTURES) if hash_of(number) == content), NO_PICTURE)
        for one in occurrences:
            yield Found(Path(one.archive).name, one.photo_id, number, one.caption)

    def _write_catalog(self, words: Words) -> Path:
        rows = [{"photo_id": name, **columns} for name, columns in words.items()]
        return write_catalog(self.folder / "catalog.csv", rows)


def mentioned(store: Store, snapshot: Snapshot) -> set[bytes]:
    """Returns the hashes of all contents that the segments of a snapshot hold or say something of."""
    contents: set[bytes] = set()
    for reference in snapshot.segments:
        for name in (CONTENT_HASHES, CHANGED_HASHES):
            path = store.local_root / segment_directory(reference.segment_id) / name
            if path.exists():
                contents |= {whole_hash(one) for one in np.load(path)}
    return contents


def encode_directly(store: Store, run: Run, spec: EncoderSpec, work: Work, options: EncodeOptions, **_: Any) -> None:
    """Does what the pipeline does, chunk after chunk in this thread."""
    step = chunks.EncodeChunk(store, run, spec, work, batch_size=options.batch_size, progress_directory=None)
    step.setup()
    try:
        for chunk in range(work.chunks):
            list(step.process(chunk))
    finally:
        step.teardown()


def make_nights(folder: Path, patch: pytest.MonkeyPatch) -> Nights:
    """Returns a store and its archives, empty if the folder is; until the patch ends, encoding takes milliseconds."""
    store = Store(folder / "store", create=True)
    spec, _ = read_spec(store, (list_encoders(store) or [add_encoder(store)])[0])
    nights = Nights(folder, store)
    decode, read_chunk = photo.decode, chunks.read_chunk

    def counted(data: bytes, **settings: Any) -> photo.Photo:
        nights.decoded.append(hashlib.sha256(data).hexdigest())
        return decode(data, **settings)

    def noted(*arguments: Any) -> list[dict[str, Any]]:
        rows = read_chunk(*arguments)
        nights.read += [row["photo_id"] for row in rows]
        return rows

    patch.setattr(photo, "decode", counted)
    patch.setattr(chunks, "shared_decoders", decoders_here)
    patch.setattr(chunks, "read_chunk", noted)
    patch.setattr("pipelines.encode.encode_chunks.encode_chunks", encode_directly)
    patch.setattr(chunks, "shared_encoder", lambda *_: StubEncoder(spec))
    return nights
