"""Decodes the photos of a chunk in processes, ahead of the model: rows of a listing in, pixels or rejects out."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from foundation.archives.archive import read_photos, read_sidecar
from foundation.archives.photos import EncodedPhoto
from foundation.photos.decode_ahead import decode_ahead
from foundation.photos.decoder_child import Reading
from foundation.photos.decoder_processes import DecoderProcesses
from foundation.photos.rejects import PhotoError
from foundation.store.occurrences import Occurrence
from pipelines.encode.decode_content import DecodeSettings, KnownContent, decode_content
from pipelines.runners.failures import naming


@dataclass(frozen=True)
class Reject:
    """One photo that could not be used, and why."""

    reason: str
    detail: str


@dataclass(frozen=True)
class KnownPhoto:
    """One photo whose content has a vector already: it was not decoded. `sidecar` is what that says, if it has one."""

    content_sha256: bytes
    size_bytes: int
    sidecar: dict[str, Any] | None = None


@dataclass(frozen=True, eq=False)
class DecodedPhoto:
    """One decoded photo: the columns of its shard row, and its pixels uint8 [size, size, channels].

    `size_bytes` is that of the encoded file, which the counter of bytes read adds up; `sidecar` is what that says of
    the photo, if it has one.
    """

    columns: dict[str, Any]
    pixels: np.ndarray
    size_bytes: int
    sidecar: dict[str, Any] | None = None

    @property
    def content_sha256(self) -> bytes:
        """The digest of the file, 32 bytes."""
        return self.columns["content_sha256"]


Decoded = DecodedPhoto | KnownPhoto | Reject


def decode_rows(
    rows: list[dict[str, Any]], settings: DecodeSettings, *, decoders: DecoderProcesses, ahead: int
) -> Iterator[Decoded]:
    """Yields what becomes of the photos of some rows of a listing, in order, with at most `ahead` of them in memory.

    Any defect of the program that a photo brings to light is raised where its result would stand, and names it.
    """
    photos = zip(rows, read_photos(row["uri"] for row in rows), strict=True)
    decode = partial(decode_row, settings=settings, call=decoders.call)
    return decode_ahead(photos, lambda listed: decode(*listed), pool=decoders.threads, ahead=ahead)


def decode_row(
    row: dict[str, Any], encoded: EncodedPhoto, *, settings: DecodeSettings, call: Callable[..., Any]
) -> Decoded:
    """Reads and decodes the photo of one row of the listing; a photo that cannot be used is a Reject, not an error.

    row: a dict of the listing's columns; `call` calls a function with arguments in another process. Raises only what
    is no fault of the photo.
    """
    # Photos fail one by one: an exception here would make Beam retry the whole chunk until the run fails.
    with naming(f"photo {row['photo_id']!r}"):
        try:
            content = call(decode_content, Reading(encoded.read), settings)
        except PhotoError as error:
            return Reject(error.reason, str(error))
    sidecar = read_sidecar_of(row)
    if isinstance(content, KnownContent):
        return KnownPhoto(content.content_sha256, content.size_bytes, sidecar)
    # What the file says of itself stands in the row; what is known beside it, in its occurrence, counts first.
    occurrence = occurrence_of(row, sidecar or {})
    columns = {name: occurrence[name] for name in ("photo_id", "uri", "published_at", "source")}
    return DecodedPhoto(
        content.columns | columns | {"occurrences": [occurrence]}, content.pixels, content.size_bytes, sidecar
    )


def read_sidecar_of(row: dict[str, Any]) -> dict[str, Any] | None:
    """Returns what the sidecar of a photo says; None if it has none, or none that can be read today."""
    if not row["sidecar_uri"]:
        return None
    try:
        return asdict(read_sidecar(row["sidecar_uri"]))
    except PhotoError:
        return None


def occurrence_of(row: dict[str, Any], sidecar: dict[str, Any]) -> dict[str, Any]:
    """Returns what is known of a photo beside its file as a struct; archive and generation are the run's.

    Where the row of the listing is silent, its sidecar counts: the query `given` says the same.
    """
    names = ("published_at", "captured_at", "caption", "credit", "source")
    given: dict[str, Any] = {name: row[name] if row[name] is not None else sidecar.get(name) for name in names}
    return Occurrence(photo_id=row["photo_id"], uri=row["uri"], **given).to_struct()


def batches_of(results: Iterable[Decoded], batch_size: int) -> Iterator[list[Decoded]]:
    """Yields the results in order, in batches of `batch_size` decoded photos; the last one may hold fewer.

    Others ride along between them and do not count: batches of a fixed number of photos keep TensorFlow at one shape.
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
