"""Where training photos come from: TensorFlow Datasets, folder trees, tar shards and Parquet, as encoded bytes."""

import glob
import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType

from foundation.archives import parquet_photos, tar_shards, tensorflow_datasets
from foundation.archives.photo_source import MAX_READ_BYTES, EncodedPhoto, PhotoSource
from foundation.errors import InputNotFoundError, UsageError

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif")


def open_source(source: str, *, data_dir: Path | None = None) -> PhotoSource:
    """Opens `tfds:NAME[/CONFIG][/SPLIT]`, a folder tree of images, or files and folders of Parquet or of tar shards.

    A pattern such as `shards/train-0000[0-5]*.tar` names several tar shards. Raises InputNotFoundError if there is
    nothing, UsageError if it is none of these.
    """
    if source.startswith(tensorflow_datasets.SCHEME):
        return tensorflow_datasets.open_tensorflow_dataset(source, data_dir)
    if "://" in source:
        raise UsageError(
            f"cannot train on {source!r}; expected tfds:NAME, a local folder of images, or local tar or Parquet files: "
            "copy the photos to this machine first"
        )
    files = _files_of(source)
    # A catalog in Parquet may lie beside the photos that it describes, a list in JSON beside shards.
    if not any(file.suffix.lower() in PHOTO_SUFFIXES for file in files):
        for suffix, kind in ((".tar", tar_shards), (".parquet", parquet_photos)):
            packed = [file for file in files if file.suffix.lower() == suffix]
            if packed:
                return _open_packed(source, packed, kind)
    if len(files) == 1 and Path(source).expanduser().is_file():
        raise UsageError(
            f"cannot train on the one file {source!r}; expected a folder of images, or a .parquet or .tar file"
        )
    return _open_folder(source, files)


def _files_of(source: str) -> list[Path]:
    """Returns the file itself, the files below a folder, or those that a pattern names; sorted, at least one."""
    path = Path(source).expanduser()
    if path.is_dir():
        files = _list_files(path)
    else:
        files = (
            [path] if path.is_file() else [Path(name) for name in sorted(glob.glob(str(path))) if Path(name).is_file()]
        )
    if not files:
        raise InputNotFoundError(
            f"no photos in the source {source!r}; expected tfds:NAME, a folder of images, or tar or Parquet files"
        )
    return files


def _list_files(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise InputNotFoundError(f"cannot list {error.filename}: {error.strerror}; check the access rights") from error

    found: list[Path] = []
    for directory, subdirectories, names in os.walk(folder, onerror=refuse):
        subdirectories.sort()
        # A pipe would be waited for; a link that leads nowhere is one more photo that cannot be read.
        paths = [Path(directory, name) for name in sorted(names)]
        found.extend(path for path in paths if path.is_file() or not path.exists())
    return found


def _open_folder(source: str, files: list[Path]) -> PhotoSource:
    def read(numbers: Sequence[int]) -> Iterator[EncodedPhoto]:
        return (EncodedPhoto(partial(_read_file, files[number])) for number in numbers)

    return PhotoSource(source, len(files), _fingerprint_files(files), read)


def _read_file(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_READ_BYTES)


def _fingerprint_files(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            status = file.stat()
        except OSError:  # a dangling link: the decoder's read will report it
            continue
        digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _open_packed(source: str, files: list[Path], kind: ModuleType) -> PhotoSource:
    """Opens files that hold many photos each; `kind` counts and reads one of them."""
    counts = [kind.count_photos(file) for file in files]

    def read(numbers: Sequence[int]) -> Iterator[EncodedPhoto]:
        start, wanted = 0, set(numbers)
        for file, count in zip(files, counts, strict=True):
            if not wanted.isdisjoint(range(start, start + count)):
                yield from (photo for number, photo in enumerate(kind.read_photos(file), start) if number in wanted)
            start += count

    return PhotoSource(source, sum(counts), _fingerprint_files(files), read)
