"""Lists and reads TFRecord files of encoded photos, without TensorFlow.

A record is its length, the checksum of that, its data, and their checksum. A photo's URI holds where its record lies:
it is read with one request, and the checksums tell when the file is damaged, or no longer the one that was listed.
"""

import re
import struct
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

from foundation.archives import places
from foundation.archives.photos import EncodedPhoto, Entry, File, UnreadablePhotoError, require_size
from foundation.archives.tensorflow_examples import read_example
from foundation.archives.uris import shown, split, with_part
from foundation.errors import FirstseenError, InputNotFoundError, TemporaryError

# `train.tfrecord`, `train.tfrecord-00003-of-00010`; compressed ones are refused in words.
NAME = re.compile(r".*\.tfrecords?(-\d+-of-\d+)?(\.gz)?", re.IGNORECASE)
# In order of preference: the names that TensorFlow's own scripts and tutorials give to an encoded image.
PHOTO_FEATURES = ("image/encoded", "image", "image_raw", "encoded", "jpeg", "jpg", "png", "photo", "picture", "img")
LABEL_FEATURES = ("image/class/text", "class", "label", "image/class/label")
MAX_LABEL_LENGTH = 100
_HEADER, _FOOTER = struct.Struct("<QI"), struct.Struct("<I")
_GZIP = b"\x1f\x8b"
_PART = re.compile(r"(\d{1,18})-(\d{1,18})-(\d{1,18})", re.ASCII)


def list_records(shard: Entry, _left_out: Counter[str]) -> Iterator[Entry]:
    """Yields the records of a TFRecord file by their lengths alone; photo_ids are `FILE#RECORD`, counted from 0.

    The etag of each is the length and the checksum of its data: a file that was written anew with the same photos has
    the same. Raises InputNotFoundError if it is no TFRecord file, or one that was cut off.
    """
    file = places.look_up(shard.uri)
    # Three numbers of eight bytes for each record, read before the first entry: many files are read at once.
    found = array("Q")
    try:
        with places.open_file(file) as opened:
            for record in _records(opened):
                found.extend(record)
    except (ValueError, OSError) as error:  # a forged length may be further than any file reaches
        problem = f"{shown(file.uri)}: {getattr(error, 'strerror', None) or error}"
        raise InputNotFoundError(f"cannot read {problem}; expected an uncompressed TFRecord file") from error
    records = enumerate(zip(found[::3], found[1::3], found[2::3], strict=True))
    return (_entry(shard.photo_id, file, number, record) for number, record in records)


def _entry(name: str, file: File, number: int, record: tuple[int, int, int]) -> Entry:
    offset, length, checksum = record
    uri = with_part(file.uri, f"{number}-{offset}-{length}")
    return Entry(f"{name}#{number}", uri, -1, file.modified_at, f"{length}-{checksum:08x}")


def _records(opened) -> Iterator[tuple[int, int, int]]:
    """Yields (offset, length of the data, their checksum) of each record; raises ValueError where there is none."""
    offset = 0
    head = opened.read(_HEADER.size)
    if head[:2] == _GZIP:
        raise ValueError("it is compressed with gzip, and its records cannot be read one by one: unpack it with gunzip")
    while head:
        if len(head) < _HEADER.size or _masked_crc(head[:8]) != _HEADER.unpack(head)[1]:
            raise ValueError(f"cut off or damaged at byte {offset:,}")
        length = _HEADER.unpack(head)[0]
        # The checksum behind the data and the head of the next record are read at once.
        opened.seek(offset + _HEADER.size + length)
        behind = opened.read(_FOOTER.size + _HEADER.size)
        if len(behind) < _FOOTER.size:
            raise ValueError(f"cut off in the record at byte {offset:,}")
        yield offset, length, _FOOTER.unpack_from(behind)[0]
        offset += _HEADER.size + length + _FOOTER.size
        head = behind[_FOOTER.size :]


def _masked_crc(data: bytes) -> int:
    # TensorFlow turns and shifts the checksum, since a checksum of data that hold their own is easily right by chance.
    import google_crc32c

    checksum = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


def read_records(uris: Iterator[str]) -> Iterator[EncodedPhoto]:
    """Yields the photos with these URIs, all of one file: each is read in the thread that asks for it."""
    file: _RecordFile | None = None
    for uri in uris:
        container, part = split(uri)
        file = file or _RecordFile(container)
        yield EncodedPhoto(partial(file.photo, part), partial(file.label, part))


class _RecordFile:
    """A file that some records are read of: it is looked up with the first of them."""

    def __init__(self, uri: str):
        self._uri = uri

    def __getstate__(self) -> dict[str, Any]:
        # Looked up before it is sent to another process, which would look it up again for every record.
        with suppress(FirstseenError):  # raised where the record is read
            _ = self._file
        return self.__dict__

    @cached_property
    def _file(self) -> File:
        return places.look_up(self._uri)

    def photo(self, part: str) -> bytes:
        example = self._example(part)
        for name in PHOTO_FEATURES:
            if isinstance(value := example.get(name), bytes):
                return value
        names = ", ".join(sorted(example))[:200] or "none"
        raise UnreadablePhotoError(
            f"{self._name(part)} has no photo; expected a feature of bytes called one of {', '.join(PHOTO_FEATURES)}; "
            f"its features: {names}"
        )

    def label(self, part: str) -> str | None:
        """Returns the class of a record; one that names none is no fault of the photo."""
        example = self._example(part)
        found = next((example[name] for name in LABEL_FEATURES if name in example), None)
        text = found.decode("utf-8", "replace") if isinstance(found, bytes) else found
        return None if text is None else str(text)[:MAX_LABEL_LENGTH]

    def _name(self, part: str) -> str:
        return f"{shown(self._uri)}#{part.partition('-')[0]}"

    def _example(self, part: str) -> dict[str, bytes | int]:
        place = _PART.fullmatch(part)
        if not place:
            raise UnreadablePhotoError(f"{shown(self._uri)}#{part} is no record; expected the URI that a listing gives")
        offset, length = int(place[2]), int(place[3])
        require_size(self._name(part), length)
        try:
            return read_example(self._data(offset, length))
        except TemporaryError:
            raise
        except (ValueError, FirstseenError) as error:
            raise UnreadablePhotoError(f"{self._name(part)} cannot be read: {error}") from error

    def _data(self, offset: int, length: int) -> bytes:
        """Returns the data of a record; raises ValueError if the file holds another one there."""
        end = offset + _HEADER.size + length
        if end + _FOOTER.size > self._file.size_bytes:
            raise ValueError("the file ends before it, and has changed since it was listed")
        record = places.read_range(self._file, offset, end + _FOOTER.size - offset)
        data = record[_HEADER.size : -_FOOTER.size]
        checksums = _masked_crc(record[:8]), _masked_crc(data)
        if len(record) != end + _FOOTER.size - offset or _HEADER.unpack_from(record) != (length, checksums[0]):
            raise ValueError("no record begins there: the file is damaged, or has changed since it was listed")
        if _FOOTER.unpack_from(record, _HEADER.size + length)[0] != checksums[1]:
            raise ValueError("its checksum does not fit: it is damaged")
        return data
