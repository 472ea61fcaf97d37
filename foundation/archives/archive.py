"""Opens an archive, wherever its photos lie, and reads photos by their URI: for training, encode and lookup alike."""

import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from foundation.archives import (
    folders,
    inventories,
    parquet_tables,
    places,
    tar_shards,
    tensorflow_datasets,
    tensorflow_records,
)
from foundation.archives.ahead import in_order
from foundation.archives.filters import Filter
from foundation.archives.photos import EncodedPhoto, Entry
from foundation.archives.sidecars import pair_sidecars, parse_sidecar
from foundation.archives.uris import SCHEME, is_in_bucket, path_of, shown, split, uri_of
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos.metadata import GivenMetadata

EXPECTED = (
    "a folder of photos, tar shards, Parquet files, TFRecord files, an inventory (local, s3:// or gs://), or tfds:NAME"
)
# Of a shard only the headers are read: that takes as long as the storage needs to answer, whatever cores there are.
SHARDS_AT_ONCE = 8


class _Packed(NamedTuple):
    """A kind of file that holds many photos: how it is listed, and how photos of one such file are read.

    Listing reads the file before it returns: in a thread of its own, while other files are read too. What it leaves out
    it counts, by reason, while it is iterated.
    """

    list_file: Callable[[Entry, Counter[str]], Iterator[Entry]]
    read_photos: Callable[[Iterator[str]], Iterator[EncodedPhoto]]


_PACKED = {
    tar_shards.SUFFIX: _Packed(tar_shards.list_shard, tar_shards.read_members),
    parquet_tables.SUFFIX: _Packed(parquet_tables.list_table, parquet_tables.read_rows),
}
_RECORDS = _Packed(tensorflow_records.list_records, tensorflow_records.read_records)


@dataclass(frozen=True)
class Archive:
    """One archive: its URI, the local folder that it is (if it is one), and `list`, which streams its entries.

    Ten million entries are not held in memory, and `list` may be called again for another pass.

    The listing has a stable order, and holds every photo: what cannot be used is an entry too, so that nothing is
    dropped without a word. What is no photo for certain, or was not wanted, is counted in `left_out` by its reason;
    the counts are those of the last listing, and whole at its end. `may_be_empty` says that no photo is no mistake.
    """

    uri: str
    folder: Path | None
    list: Callable[[], Iterator[Entry]]
    left_out: Counter[str] = field(default_factory=Counter)
    may_be_empty: bool = False


def open_archive(
    location: str, *, include: Sequence[str] = (), exclude: Sequence[str] = (), data_dir: Path | None = None
) -> Archive:
    """Opens a folder tree of images, files or a folder of tar shards or Parquet, or `tfds:NAME[/CONFIG][/SPLIT]`.

    A pattern such as `shards/train-0000[0-5]*.tar` names several files. Files lie on local disk (a path or a `file://`
    URI) or below a prefix of a bucket (`s3://`, `gs://`); TFRecord files and inventories, which name photos that lie
    elsewhere, are archives too. `include` and `exclude` are patterns of photos, see `foundation.archives.filters`.
    `data_dir` is where TensorFlow Datasets are prepared. Raises InputNotFoundError if there is nothing of these,
    UsageError on the address of a place that is not read.
    """
    wanted = Filter(include, exclude)
    if location.startswith(tensorflow_datasets.SCHEME):
        uri = tensorflow_datasets.archive_uri(location, data_dir)
        return _archive(uri, lambda: tensorflow_datasets.list_split(uri), wanted)
    if "://" in location and not (location.startswith(SCHEME) or is_in_bucket(location)):
        raise UsageError(f"archive {location!r} cannot be read; expected {EXPECTED}: copy the photos to this machine")
    if split(location)[1]:
        raise UsageError(f"archive {location!r} names one photo; expected {EXPECTED}: leave out what follows the #")
    uri = address_of(location)
    if places.is_folder(uri):
        return _open_folder(uri, wanted)
    files = places.matching(uri)
    if not files:
        raise InputNotFoundError(f"archive {location!r} does not exist; expected {EXPECTED}")
    if len(files) == 1:
        return _open_file(uri, files[0], wanted)
    return _archive(uri, lambda: iter(files), wanted, list_file=_list_packed)


def address_of(location: str) -> str:
    """Returns the URI by which a store knows the archive at this path or URI, whether or not it is there now."""
    if location.startswith(tensorflow_datasets.SCHEME) or ("://" in location and not location.startswith(SCHEME)):
        return location.rstrip("/")
    return uri_of(_local_path(location))


def read_photos(uris: Iterable[str]) -> Iterator[EncodedPhoto]:
    """Yields the photos with these URIs of archives, in their order.

    Of Parquet and TensorFlow Datasets, URIs that follow each other in ascending order are read in one pass, and some
    of their photos are in memory at a time; of everything else no photo is read before it is asked for. Of a tar shard
    the headers are read when its first photo is taken.
    """
    # An inventory is sorted by container, so that each file is opened once for all of its rows. Whoever asks in another
    # order gets the same photos, only slower.
    for container, group in itertools.groupby(uris, key=_container):
        yield from _reader_of(container)(group)


def holds_many(name: str) -> bool:
    """Returns whether a file of this name, or at this URI, holds many photos; a Parquet file may be an inventory."""
    return _packed(name) is not None


def read(uri: str) -> bytes:
    """Returns the bytes of one photo, by its URI or as a plain path, which may be a link.

    Raises UnreadablePhotoError or PhotoTooLargeError, and TemporaryError if storage does not answer.
    """
    container = _container(uri)
    if not container:
        return places.read_file(uri)
    (photo,) = _reader_of(container)(iter([uri]))
    return photo.read()


def read_sidecar(uri: str) -> GivenMetadata:
    """Returns what the sidecar of an entry tells of its photo; a damaged one tells nothing.

    Raises UnreadablePhotoError or PhotoTooLargeError if it cannot be read: it may tell something at another time.
    """
    # By the rule for photos of an archive: a link that took its place since the listing is not followed.
    (sidecar,) = read_photos([uri])
    return parse_sidecar(uri, sidecar.read())


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
    packed = _packed(container)
    return packed.read_photos if packed else tar_shards.read_members


def _local_path(location: str) -> Path:
    return Path(os.path.expanduser(path_of(location)))  # Path.expanduser raises on `~` and the name of nobody


def _open_folder(uri: str, wanted: Filter) -> Archive:
    # A catalog in Parquet may lie beside the photos that it describes: only a folder without photos is one of shards.
    listed = wanted.choose(wanted.drop(places.list_below(uri), Counter()), Counter())
    holds_photos = any(_suffix(entry.photo_id) in folders.PHOTO_SUFFIXES for entry in listed)
    list_file = None if holds_photos else _list_packed
    return _archive(uri, lambda: places.list_below(uri), wanted, list_file=list_file)


def _open_file(uri: str, file: Entry, wanted: Filter) -> Archive:
    if _suffix(file.photo_id) == inventories.SUFFIX:
        return _archive(uri, lambda: iter((file,)), wanted, list_file=inventories.list_csv)
    if not _packed(file.photo_id):
        raise InputNotFoundError(f"archive {shown(uri)!r} is a file; expected {EXPECTED}")
    if file.size_bytes < 0:
        raise InputNotFoundError(f"archive {shown(uri)!r} is a link; expected the file that it leads to")
    return _archive(uri, lambda: iter((file,)), wanted, list_file=_list_packed)


ListFile = Callable[[Entry, Counter[str]], Iterator[Entry]]


def _archive(
    uri: str, list_files: Callable[[], Iterator[Entry]], wanted: Filter, *, list_file: ListFile | None = None
) -> Archive:
    """Returns the archive of these files, each of them a photo; with `list_file` of the photos inside them."""
    left_out: Counter[str] = Counter()

    def list_entries() -> Iterator[Entry]:
        left_out.clear()
        entries = pair_sidecars(wanted.drop(list_files(), left_out), left_out)
        if list_file:
            entries = wanted.drop(_list_all(entries, list_file, left_out), left_out)
        yield from wanted.choose(entries, left_out)

    folder = path_of(uri) if uri.startswith(SCHEME) and path_of(uri).is_dir() else None
    return Archive(uri, folder, list_entries, left_out)


def _list_all(files: Iterable[Entry], list_file: ListFile, left_out: Counter[str]) -> Iterator[Entry]:
    listings = in_order(
        files, lambda file: (list_file(file, left_out), []), threads=SHARDS_AT_ONCE, ahead=SHARDS_AT_ONCE
    )
    return itertools.chain.from_iterable(listings)


def _list_packed(file: Entry, left_out: Counter[str]) -> Iterator[Entry]:
    """Returns the photos inside a file of many; any other file is an entry of its own."""
    # A link is an entry and not opened as a shard, by the same rule as in a folder of photos.
    packed = _packed(file.photo_id) if file.size_bytes >= 0 else None
    return packed.list_file(file, left_out) if packed else iter((file,))


def _packed(name: str) -> _Packed | None:
    """Returns the kind of a file of many photos by its name or URI; None for any other file."""
    return _RECORDS if tensorflow_records.NAME.fullmatch(name) else _PACKED.get(_suffix(name))


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
