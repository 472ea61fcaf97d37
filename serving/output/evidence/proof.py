"""Gathers what is shown about one copy: the query, the archive's photo as it is today, and what joins them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Literal

import numpy as np

from foundation.errors import FirstseenError
from foundation.photos.local_features import frame_size
from foundation.store.snapshots import Snapshot
from serving.answers import Claim
from serving.match.claim import judge_claim
from serving.match.evidence import Evidence
from serving.match.footprint import Size
from serving.match.match import Match
from serving.output.pictures import PHOTO_SIDE, Picture, photo_picture, picture_of

Read = Callable[[str], bytes]
FileState = Literal["as indexed", "changed", "unreadable"]


@dataclass(frozen=True, eq=False)
class Original:
    """The archive's photo: what became of its file, and its pixels, uint8 [height, width, 3], if there are any."""

    file: FileState
    pixels: np.ndarray | None
    is_thumbnail: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class Proof:
    """One copy and all that is told about it; `name` is that of its files, `siblings` the query's other copies'."""

    name: str
    rank: int
    query_name: str
    query: Picture | None
    match: Match
    original: Original
    snapshot: Snapshot
    claimed: datetime | None = None
    siblings: list[tuple[str, Match]] = field(default_factory=list)

    @cached_property
    def photo_size(self) -> Size:
        """Full size of the archive's photo in pixels."""
        return Size(self.match.photo["width"], self.match.photo["height"])

    @property
    def claim(self) -> Claim | None:
        """What the archive says of the claimed date."""
        return judge_claim(self.match.seen.published_at, self.claimed)

    @property
    def evidence(self) -> Evidence | None:
        """What was measured, or None where nothing had to be: the bytes are the same."""
        return self.match.evidence

    @property
    def difference(self) -> np.ndarray | None:
        """Where query and photo differ, float32 [h, w] in the geometry of the photo's thumbnail, NaN outside."""
        return self.evidence.dense.difference if self.evidence is not None and self.evidence.dense else None


def read_picture(name: str, read: Read, *, side: int) -> Picture | None:
    """Returns a photo as a page shows it, or None if it cannot be read any more."""
    try:
        return picture_of(read(name), side=side)
    except FirstseenError:
        return None


def original_of(match: Match, read: Read, *, decode: Callable[[bytes], Picture] = photo_picture) -> Original:
    """Returns the archive's photo: from its file as long as that is the one that was indexed, else the thumbnail.

    `decode` may call `photo_picture` in a process of its own.
    """
    file: FileState = "unreadable"
    try:
        data = read(match.photo["uri"])
        # Another photo may lie there by now. To show that one as evidence would be a forgery.
        file = "as indexed" if hashlib.sha256(data).digest() == match.photo["content_sha256"] else "changed"
        if file == "as indexed":
            return Original(file, decode(data).pixels)
    except FirstseenError:
        pass
    thumbnail = match.thumbnail and read_picture("", lambda _: match.thumbnail or b"", side=PHOTO_SIDE)
    if not thumbnail:
        return Original(file, None)
    size = frame_size(match.photo["width"], match.photo["height"], longest_side=PHOTO_SIDE)
    return Original(file, _enlarged(thumbnail.pixels, size), is_thumbnail=True)


def _enlarged(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    return cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
