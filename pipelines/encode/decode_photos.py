"""Reads and decodes one photo of an archive: its row of the listing in, pixels and columns or a reject out."""

import hashlib
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from foundation.archives.photos import EncodedPhoto
from foundation.photos import photo
from foundation.photos.local_features import LONGEST_SIDE
from foundation.photos.photo import PhotoError
from foundation.store.encoders import EncoderSpec
from foundation.store.occurrences import Occurrence
from foundation.store.retractions import RETRACTED
from foundation.store.runs import Features
from pipelines.encode.local_columns import local_columns


@dataclass(frozen=True)
class Reject:
    """One photo that could not be used, and why."""

    reason: str
    detail: str


@dataclass(frozen=True)
class KnownPhoto:
    """One photo whose content has a vector already: it is not decoded."""

    content_sha256: bytes
    size_bytes: int


@dataclass(frozen=True, eq=False)
class DecodedPhoto:
    """One decoded photo: the columns of its shard row, and its pixels uint8 [size, size, channels].

    `size_bytes` is that of the encoded file, which the counter of bytes read adds up.
    """

    columns: dict[str, Any]
    pixels: np.ndarray
    size_bytes: int

    @property
    def content_sha256(self) -> bytes:
        """The digest of the file, 32 bytes."""
        return self.columns["content_sha256"]


Decoded = DecodedPhoto | KnownPhoto | Reject


def decode_row(
    row: dict[str, Any],
    encoded: EncodedPhoto,
    *,
    spec: EncoderSpec,
    features: Features = "none",
    known: Container[bytes] = (),
    withdrawn: Container[bytes] = (),
) -> Decoded:
    """Reads and decodes the photo of one row of the listing; a photo that cannot be used is a Reject, not an error.

    A photo whose content is `known` is read and no more. With `features` "local" those are extracted as well. row: a
    dict of the listing's columns. Runs in a thread of the pool. Raises only what is no fault of the photo.
    """
    # Photos fail one by one: an exception here would make Beam retry the whole chunk until the run fails.
    try:
        data = encoded.read()
        content = hashlib.sha256(data).digest()
        if content in withdrawn:
            return Reject(RETRACTED, "the photo was withdrawn: see `firstseen retract --list`")
        if content in known:
            return KnownPhoto(content, len(data))
        frame_side = LONGEST_SIDE if features == "local" else None
        decoded = photo.decode(data, size=spec.size, channels=spec.channels, frame_side=frame_side)
    except PhotoError as error:
        return Reject(error.reason, str(error))
    columns = {
        "photo_id": row["photo_id"],
        "uri": row["uri"],
        "content_sha256": content,
        "width": decoded.width,
        "height": decoded.height,
        "published_at": row["published_at"],
        "captured_at": decoded.metadata.captured_at,
        # What the file says of itself; what an editor says of the photo stands in its occurrence, and counts first.
        "caption": decoded.metadata.caption,
        "credit": decoded.metadata.credit,
        "source": row["source"],
        "occurrences": [occurrence_of(row)],
    }
    if decoded.frame is not None:
        columns |= local_columns(decoded.frame)
    return DecodedPhoto(columns, decoded.pixels, len(data))


def occurrence_of(row: dict[str, Any]) -> dict[str, Any]:
    """Returns what a row of the listing says of its photo as a struct; archive and generation are the run's."""
    names = ("photo_id", "uri", "published_at", "caption", "credit", "source")
    return Occurrence(**{name: row[name] for name in names}).to_struct()


def batches_of(results: Iterable[Decoded], batch_size: int) -> Iterator[list[Decoded]]:
    """Yields the results in order, in batches of `batch_size` decoded photos; the last one may hold fewer.

    The others ride along between them and do not count: batches of a fixed number of photos keep TensorFlow at one
    shape.
    """
    batch: list[Decoded] = []
    decoded = 0
    for result in results:
        batch.append(result)
        decoded += isinstance(result, DecodedPhoto)
        if decoded == batch_size:
            yield batch
            batch, decoded = [], 0
    if batch:
        yield batch
