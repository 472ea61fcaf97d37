"""Reads and decodes one photo in a decoder process: all that an encode run takes from a file's bytes alone.

It imports nothing that costs: each decoder process loads it anew.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from foundation.photos import photo
from foundation.photos.local_features import LONGEST_SIDE
from foundation.photos.rejects import RetractedPhotoError
from foundation.store.content_hashes import hash_array, in_any, mapped_hashes
from pipelines.encode.local_columns import local_columns


@dataclass(frozen=True)
class DecodeSettings:
    """What is made of each photo: a square of `size` pixels a side and 1 or 3 channels, and perhaps local features.

    Contents in the files `known` are not decoded, and those in `withdrawn` not used: see
    `foundation.store.content_hashes`.
    """

    size: int
    channels: int
    with_local_features: bool = False
    known: tuple[Path, ...] = ()
    withdrawn: tuple[Path, ...] = ()


@dataclass(frozen=True)
class KnownContent:
    """The digest and size of bytes that were not decoded, since their content is known."""

    content_sha256: bytes
    size_bytes: int


@dataclass(frozen=True)
class DecodedContent:
    """What a file says of itself: columns of its shard row, and pixels uint8 [size, size, channels]."""

    columns: dict[str, Any]
    pixels: np.ndarray
    size_bytes: int


def decode_content(read: Callable[[], bytes], settings: DecodeSettings) -> DecodedContent | KnownContent:
    """Returns the content of a photo, whose bytes `read` gives; the result is about 30 KB and its pixels.

    Raises PhotoError for a photo that cannot be used, and what `read` raises.
    """
    data = read()
    content = hashlib.sha256(data).digest()
    wanted = hash_array([content])
    if in_any(_mapped(settings.withdrawn), wanted)[0]:
        raise RetractedPhotoError("its content was withdrawn; `firstseen retract --list` says when and why")
    if in_any(_mapped(settings.known), wanted)[0]:
        return KnownContent(content, len(data))
    decoded = photo.decode(
        data,
        size=settings.size,
        channels=settings.channels,
        frame_side=LONGEST_SIDE if settings.with_local_features else None,
        content_sha256=content,
    )
    columns = {
        "content_sha256": content,
        "width": decoded.width,
        "height": decoded.height,
        "captured_at": decoded.metadata.captured_at,
        "caption": decoded.metadata.caption,
        "credit": decoded.metadata.credit,
    }
    if decoded.frame is not None:
        columns |= local_columns(decoded.frame)
    return DecodedContent(columns, decoded.pixels, len(data))


# The known ones and the withdrawn ones of one run. Opened for each photo, twenty files took longer than its decode.
@lru_cache(maxsize=2)
def _mapped(files: tuple[Path, ...]) -> list[np.ndarray]:
    return mapped_hashes(files)
