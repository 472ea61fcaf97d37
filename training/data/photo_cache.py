"""Decodes each photo once into an array on disk, so that the memory of a training stays bounded."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from foundation.archives.photos import EncodedPhoto, Entry
from foundation.checks import require_range
from foundation.csv_rows import CsvRows
from foundation.errors import InputNotFoundError
from foundation.photos import photo
from foundation.photos.decode_ahead import decode_ahead
from training.data.source import PhotoSource

# Encoded photos in memory at a time: the bound on memory, besides the frames that the threads decode.
PHOTOS_AHEAD = 64
REJECTS = "rejects.csv"

# done, listed, rejected
OnPhotos = Callable[[int, int, int], None]


@dataclass(frozen=True)
class PhotoCache:
    """The decoded photos of one source: listed = photos + duplicates + the sum of rejects by reason.

    `rejects_file` lists each photo that was rejected, with the reason; none if none was.
    """

    directory: Path
    listed: int
    photos: int
    duplicates: int
    rejects: dict[str, int]
    rejects_file: Path | None = None

    def open(self) -> np.ndarray:
        """Returns the photos, mapped from disk: uint8 [photos, size, size, channels]."""
        return np.load(self.directory / "photos.npy", mmap_mode="r")

    def labels(self) -> np.ndarray:
        """Returns the class of each photo, text [photos], empty where the source tells none."""
        return np.load(self.directory / "labels.npy", allow_pickle=False)


def cache_photos(
    source: PhotoSource,
    *,
    cache: Path,
    size: int,
    channels: int,
    max_photos: int | None = None,
    seed: int = 0,
    on_photos: OnPhotos | None = None,
) -> PhotoCache:
    """Decodes every photo of the source (or `max_photos` drawn by `seed`) once, below the directory `cache`.

    Photos that cannot be decoded are counted by reason and listed, exact duplicates are kept once. A finished cache of
    the same source and settings is used as it is. Raises InputNotFoundError if no photo is left.
    """
    if max_photos is not None:
        require_range("--max-photos", max_photos, 1)
    drawn_by = seed if max_photos is not None else None  # else every seed shares one cache
    settings = [source.name, source.fingerprint, size, channels, max_photos, drawn_by, photo.DECODE_RULE]
    directory = cache / hashlib.sha256(json.dumps(settings).encode()).hexdigest()[:16]
    if directory.exists() and not _is_whole(directory, (size, size, channels)):
        shutil.rmtree(directory)  # a full disk or a power cut: decoding again mends it
    if not directory.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # A photo counts only once its directory bears its name: an interrupted cache is never half used.
        partial = Path(tempfile.mkdtemp(prefix="partial-", dir=cache))
        try:
            numbers = _draw(source, max_photos, seed)
            _fill(partial, source, (size, size, channels), numbers=numbers, on_photos=on_photos)
            _rename_unless_there(partial, directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    rejects_file = directory / REJECTS
    # A cache that an earlier version made has rejects and no list of them.
    return replace(_read(directory), rejects_file=rejects_file if rejects_file.exists() else None)


def _read(directory: Path) -> PhotoCache:
    return PhotoCache(directory, **json.loads((directory / "counts.json").read_text()))


def _is_whole(directory: Path, row_shape: tuple[int, ...]) -> bool:
    """Returns whether the files of a finished cache can be read and agree."""
    try:
        cache = _read(directory)
        photos, labels = cache.open(), cache.labels()
    except (OSError, ValueError, TypeError, EOFError):
        return False
    expected = (cache.photos, *row_shape)
    return len(labels) == cache.photos and (photos.shape, photos.dtype) == (expected, np.uint8)


def _draw(source: PhotoSource, max_photos: int | None, seed: int) -> list[int]:
    if max_photos is None or max_photos >= len(source.entries):
        return list(range(len(source.entries)))
    # The first photos of an archive are all of one year: a sample has to come from everywhere.
    return sorted(np.random.default_rng(seed).choice(len(source.entries), max_photos, replace=False).tolist())


def _rename_unless_there(partial: Path, directory: Path) -> None:
    try:
        os.rename(partial, directory)
    except OSError:
        if not directory.exists():  # else another process made the same cache first
            raise


def _fill(
    directory: Path,
    source: PhotoSource,
    row_shape: tuple[int, int, int],
    *,
    numbers: list[int],
    on_photos: OnPhotos | None,
) -> None:
    size, _, channels = row_shape
    seen: set[bytes] = set()
    labels: list[str] = []
    duplicates = 0
    with _ArrayFile(directory / "photos.npy", row_shape) as array, _RejectsFile(directory / REJECTS) as rejects:
        decoded = zip(_decoded(source.read(numbers), size, channels), numbers, strict=True)
        for done, ((result, label), number) in enumerate(decoded, start=1):
            if isinstance(result, photo.PhotoError):
                rejects.append(source.entries[number], result)
            elif result.content_sha256 in seen:
                duplicates += 1
            else:
                seen.add(result.content_sha256)
                array.append(result.pixels)
                labels.append(label or "")
            if on_photos:
                on_photos(done, len(numbers), rejects.reasons.total())
    if not array.count:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in rejects.reasons.most_common()) or "none listed"
        raise InputNotFoundError(
            f"no usable photo among the {len(numbers)} files of {source.name}: {reasons}; expected images"
        )
    counts = {
        "listed": len(numbers),
        "photos": array.count,
        "duplicates": duplicates,
        "rejects": dict(rejects.reasons),
    }
    np.save(directory / "labels.npy", np.array(labels))
    (directory / "counts.json").write_text(json.dumps(counts))


def _decoded(
    photos: Iterator[EncodedPhoto], size: int, channels: int
) -> Iterator[tuple["photo.Photo | photo.PhotoError", str | None]]:
    """Yields (a Photo or the error that rejects it, its label) for each photo, in order."""

    def decode(encoded: EncodedPhoto):
        try:
            decoded = photo.decode(encoded.read(), size=size, channels=channels, with_metadata=False)
        except photo.PhotoError as error:
            return error, None
        return decoded, encoded.label()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from decode_ahead(photos, decode, pool=pool, ahead=PHOTOS_AHEAD)


class _ArrayFile:
    """A .npy file of unknown length: rows are appended, the true count goes into the header at the end."""

    def __init__(self, path: Path, row_shape: tuple[int, ...]):
        self.count = 0
        self._row_shape = row_shape
        self._file = path.open("wb")
        self._write_header()

    def append(self, row: np.ndarray) -> None:
        """Appends uint8 of the row shape."""
        self._file.write(np.ascontiguousarray(row, np.uint8).data)
        self.count += 1

    def _write_header(self) -> None:
        # NumPy pads the header so that the first axis can grow without moving the data.
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.count, *self._row_shape)}
        np.lib.format.write_array_header_1_0(self._file, header)

    def __enter__(self) -> "_ArrayFile":
        return self

    def __exit__(self, *_exception) -> None:
        with self._file:
            self._file.seek(0)
            self._write_header()


class _RejectsFile:
    """A CSV file of rejects, written row by row, since a source of millions may have many; none without a reject."""

    def __init__(self, path: Path):
        self.reasons: Counter[str] = Counter()
        self._path = path
        self._files = contextlib.ExitStack()

    def append(self, entry: Entry, error: photo.PhotoError) -> None:
        """Adds one photo; the first one brings the header."""
        if not self.reasons:
            opened = self._path.open("w", newline="", encoding="utf-8")
            self._rows = CsvRows(self._files.enter_context(opened), ("photo_id", "uri", "reason", "detail"))
        self._rows.write((entry.photo_id, entry.uri, error.reason, str(error)))
        self.reasons[error.reason] += 1

    def __enter__(self) -> "_RejectsFile":
        return self

    def __exit__(self, *_exception) -> None:
        self._files.close()
