"""Photos in tar shards as WebDataset lays them out: `KEY.jpg` and, beside it, `KEY.json` or `KEY.cls` with its label.

The tar is read member by member and never extracted. The `webdataset` library is not used: it runs shell commands that
a name may hold, and unpickles.
"""

import itertools
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from foundation.archives.photo_source import MAX_READ_BYTES, EncodedPhoto
from foundation.errors import InputNotFoundError

PHOTO_EXTENSIONS = ("jpg", "jpeg", "png", "webp", "tif", "tiff", "bmp", "gif")
MAX_LABEL_BYTES = 2**20
MAX_LABEL_LENGTH = 100


def count_photos(shard: Path) -> int:
    """Returns the number of photos of a shard by its headers alone; raises InputNotFoundError if it is no tar."""
    with _opened(shard) as tar:
        return sum(_extension(member) in PHOTO_EXTENSIONS for member in tar)


def read_photos(shard: Path) -> Iterator[EncodedPhoto]:
    """Yields the photos of a shard in their order; the files of one key follow each other in a shard.

    Raises InputNotFoundError at a member that is cut off.
    """
    with _opened(shard) as tar:
        for _, members in itertools.groupby(tar, key=_key):
            photos, label = [], None
            for member in members:
                extension = _extension(member)
                if extension in PHOTO_EXTENSIONS:
                    photos.append(_read(tar, member, MAX_READ_BYTES))
                elif extension in ("json", "cls"):
                    label = _label(extension, _read(tar, member, MAX_LABEL_BYTES))
            for data in photos:
                yield EncodedPhoto(partial(bytes, data), label)


@contextmanager
def _opened(shard: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(shard, "r:") as tar:
            yield tar
            _require_end(shard, tar.offset)
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise InputNotFoundError(f"cannot read {shard}: {error}; expected an uncompressed tar shard") from error
    except OSError as error:
        if error.filename:
            raise
        # A size that no file has, in the header of a member.
        raise InputNotFoundError(
            f"cannot read {shard}: {error.strerror}; expected an uncompressed tar shard"
        ) from error


def _require_end(shard: Path, offset: int) -> None:
    """Raises ValueError unless the last member is followed by the block of zeros that ends a tar.

    The library takes a header that it cannot read for the end, and would leave the rest of the photos out silently.
    """
    with shard.open("rb") as file:
        file.seek(offset)
        block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE or any(block):
        raise ValueError(f"cut off or damaged at byte {offset:,}")


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo, max_bytes: int) -> bytes:
    opened = tar.extractfile(member)
    return opened.read(max_bytes) if opened else b""


def _key(member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    return str(path.parent / path.name.partition(".")[0])


def _extension(member: tarfile.TarInfo) -> str:
    """Returns the extension of a file in lower case; of a link, a directory or a device nothing."""
    return PurePosixPath(member.name).name.partition(".")[2].lower() if member.isreg() else ""


def _label(extension: str, data: bytes) -> str | None:
    if extension == "cls":
        return data.decode("utf-8", "replace").strip()[:MAX_LABEL_LENGTH]
    try:
        return str(json.loads(data)["label"])[:MAX_LABEL_LENGTH]
    except (ValueError, KeyError, TypeError, RecursionError):  # what says no label is no fault of the photo
        return None
