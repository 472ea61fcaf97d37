"""Opens an archive, wherever its photos lie, and reads photos by their URI: for training, encode and lookup alike."""

import glob
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from foundation.archives import folders, parquet_tables, tar_shards, tensorflow_datasets
from foundation.archives.photos import EncodedPhoto, Entry
from foundation.archives.uris import path_of, split, uri_of
from foundation.errors import InputNotFoundError, UsageError

EXPECTED = "a folder of photos, tar shards, Parquet files, or tfds:NAME"
_PACKED = {tar_shards.SUFFIX: tar_shards.list_shard, parquet_tables.SUFFIX: parquet_tables.list_table}


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

    A pattern such as `shards/train-0000[0-5]*.tar` names several files; local paths may be `file://` URIs. `data_dir`
    is where TensorFlow Datasets are prepared. Raises InputNotFoundError if there is nothing of these, UsageError on the
    address of a place that is not read.
    """
    if location.startswith(tensorflow_datasets.SCHEME):
        uri = tensorflow_datasets.archive_uri(location, data_dir)
        return Archive(uri, None, lambda: tensorflow_datasets.list_split(uri))
    if "://" in location and not location.startswith("file://"):
        raise UsageError(f"archive {location!r} cannot be read; expected {EXPECTED}: copy the photos to this machine")
    if split(location)[1]:
        raise UsageError(f"archive {location!r} names one photo; expected {EXPECTED}: leave out what follows the #")
    path = Path(os.path.expanduser(path_of(location)))  # Path.expanduser raises on `~` and the name of nobody
    if path.is_dir():
        return _open_folder(path)
    folder, files = (path.parent, [path]) if path.is_file() else _matching(path)
    if not files:
        raise InputNotFoundError(f"archive {location!r} does not exist; expected {EXPECTED}")
    if len(files) == 1 and files[0].suffix.lower() not in _PACKED:
        raise InputNotFoundError(f"archive {location!r} is a file; expected {EXPECTED}")
    return Archive(uri_of(path), None, lambda: _list_files(files, folder))


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
        return folders.read_file(path_of(uri))
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
        return folders.read_files
    if container.startswith(tensorflow_datasets.SCHEME):
        return tensorflow_datasets.read_records
    return parquet_tables.read_rows if container.lower().endswith(parquet_tables.SUFFIX) else tar_shards.read_members


def _open_folder(folder: Path) -> Archive:
    folders.check_folder(folder)
    # A catalog in Parquet may lie beside the photos that it describes: only a folder without photos is one of shards.
    holds_photos = any(path.suffix.lower() in folders.PHOTO_SUFFIXES for path in folders.walk(folder))
    if holds_photos:
        return Archive(uri_of(folder), folder, lambda: folders.list_folder(folder))
    return Archive(uri_of(folder), folder, lambda: _list_files(folders.walk(folder), folder))


def _matching(pattern: Path) -> tuple[Path, list[Path]]:
    """Returns (the folder that photo_ids begin below, the files that match); a folder that exists is no pattern."""
    folder = next(parent for parent in pattern.parents if parent.is_dir())
    names = glob.glob(str(pattern.relative_to(folder)), root_dir=folder)
    # The file system lists in an order of its own: sorted, two listings of one archive are the same.
    return folder, [folder / name for name in sorted(names) if (folder / name).is_file()]


def _list_files(files: Iterable[Path], folder: Path) -> Iterator[Entry]:
    """Yields the photos inside tar shards and Parquet files, and every other file as an entry of its own."""
    for file in files:
        # A link is an entry and not opened as a shard, by the same rule as in a folder of photos.
        listing = _PACKED.get(file.suffix.lower()) if file.is_file() and not file.is_symlink() else None
        yield from listing(file, folder) if listing else (folders.entry_of(file, folder),)
