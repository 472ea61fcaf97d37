"""Opens an archive, wherever its photos lie, and reads photos by their URI: for training, encode and lookup alike."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from foundation.archives import folders, parquet_tables, places, tar_shards, tensorflow_datasets
from foundation.archives.ahead import in_order
from foundation.archives.photos import EncodedPhoto, Entry
from foundation.archives.uris import SCHEME, is_in_bucket, path_of, split, uri_of
from foundation.errors import InputNotFoundError, UsageError

EXPECTED = "a folder of photos, tar shards, Parquet files (local, s3:// or gs://), or tfds:NAME"
# Of a shard only the headers are read: that takes as long as the storage needs to answer, whatever cores there are.
SHARDS_AT_ONCE = 8


class _Packed(NamedTuple):
    """A kind of file that holds many photos: how it is listed, and how photos of one such file are read.

    Listing reads the file before it returns: in a thread of its own, while other files are read too.
    """

    list_file: Callable[[Entry], Iterator[Entry]]
    read_photos: Callable[[Iterator[str]], Iterator[EncodedPhoto]]


_PACKED = {
    tar_shards.SUFFIX: _Packed(tar_shards.list_shard, tar_shards.read_members),
    parquet_tables.SUFFIX: _Packed(parquet_tables.list_table, parquet_tables.read_rows),
}


@dataclass(frozen=True)
class Archive:
    """One archive: its URI, the local folder that it is (if it is one), and `list`, which streams its entries.

    Ten million entries are not held in memory, and `list` may be called again for another pass.

    The listing has a stable order, and holds every photo: what cannot be used is an entry too, so that nothing is
    dropped without a word.
    """

    uri: str
    folder: Path | None
    list: Callable[[], Iterator[Entry]]


def open_archive(location: str, *, data_dir: Path | None = None) -> Archive:
    """Opens a folder tree of images, files or a folder of tar shards or Parquet, or `tfds:NAME[/CONFIG][/SPLIT]`.

    A pattern such as `shards/train-0000[0-5]*.tar` names several files. Files lie on local disk (a path or a `file://`
    URI) or below a prefix of a bucket (`s3://`, `gs://`). `data_dir` is where TensorFlow Datasets are prepared. Raises
    InputNotFoundError if there is nothing of these, UsageError on the address of a place that is not read.
    """
    if location.startswith(tensorflow_datasets.SCHEME):
        uri = tensorflow_datasets.archive_uri(location, data_dir)
        return Archive(uri, None, lambda: tensorflow_datasets.list_split(uri))
    if "://" in location and not (location.startswith(SCHEME) or is_in_bucket(location)):
        raise UsageError(f"archive {location!r} cannot be read; expected {EXPECTED}: copy the photos to this machine")
    if split(location)[1]:
        raise UsageError(f"archive {location!r} names one photo; expected {EXPECTED}: leave out what follows the #")
    uri = location.rstrip("/") if is_in_bucket(location) else uri_of(_local_path(location))
    if places.is_folder(uri):
        return _open_folder(uri)
    files = places.matching(uri)
    if not files:
        raise InputNotFoundError(f"archive {location!r} does not exist; expected {EXPECTED}")
    if len(files) == 1 and _suffix(files[0]) not in _PACKED:
        raise InputNotFoundError(f"archive {location!r} is a file; expected {EXPECTED}")
    return Archive(uri, None, lambda: _list_files(files))


def read_photos(uris: Iterable[str]) -> Iterator[EncodedPhoto]:
    """Yields the photos with these URIs of archives, in their order.

    Of Parquet and TensorFlow Datasets, URIs that follow each other in ascending order are read in one pass, and some
    of their photos are in memory at a time; of everything else nothing is read before it is asked for.
    """
    # An inventory is sorted by container, so that each file is opened once for all of its rows. Whoever asks in another
    # order gets the same photos, only slower.
    for container, group in itertools.groupby(uris, key=_container):
        yield from _reader_of(container)(group)


def read(uri: str) -> bytes:
    """Returns the bytes of one photo, by its URI or as a plain path, which may be a link.

    Raises UnreadablePhotoError or PhotoTooLargeError.
    """
    container = _container(uri)
    if not container:
        return places.read_file(uri)
    (photo,) = _reader_of(container)(iter([uri]))
    return photo.read()


def _container(uri: str) -> str:
    """Returns the URI of the file or data set that a photo lies in; nothing for a file that is itself a photo."""
    if uri.startswith(tensorflow_datasets.SCHEME):
        return uri.rpartition("#")[0]
    container, part = split(uri)
    return container if part else ""


def _reader_of(container: str) -> Callable[[Iterator[str]], Iterator[EncodedPhoto]]:
    if not container:
        return places.read_files
    if container.startswith(tensorflow_datasets.SCHEME):
        return tensorflow_datasets.read_records
    packed = _PACKED.get(PurePosixPath(container).suffix.lower())
    return packed.read_photos if packed else tar_shards.read_members


def _local_path(location: str) -> Path:
    return Path(os.path.expanduser(path_of(location)))  # Path.expanduser raises on `~` and the name of nobody


def _open_folder(uri: str) -> Archive:
    folder = None if is_in_bucket(uri) else path_of(uri)
    # A catalog in Parquet may lie beside the photos that it describes: only a folder without photos is one of shards.
    holds_photos = any(_suffix(entry) in folders.PHOTO_SUFFIXES for entry in places.list_below(uri))
    if holds_photos:
        return Archive(uri, folder, lambda: places.list_below(uri))
    return Archive(uri, folder, lambda: _list_files(places.list_below(uri)))


def _list_files(files: Iterable[Entry]) -> Iterator[Entry]:
    """Yields the photos inside tar shards and Parquet files, and every other file as an entry of its own."""

    def open_one(file: Entry) -> tuple[Iterator[Entry], list[Entry]]:
        # A link is an entry and not opened as a shard, by the same rule as in a folder of photos.
        packed = _PACKED.get(_suffix(file)) if file.size_bytes >= 0 else None
        return packed.list_file(file) if packed else iter((file,)), []

    listings = in_order(files, open_one, threads=SHARDS_AT_ONCE, ahead=SHARDS_AT_ONCE)
    return itertools.chain.from_iterable(listings)


def _suffix(file: Entry) -> str:
    return PurePosixPath(file.photo_id).suffix.lower()
