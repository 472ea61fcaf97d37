"""Looks past ignored photos in a query: where one is shown, features do not vote and pixels prove nothing.

That an ignored photo is shown is proved as a copy is, by keypoints and then by pixels. What was laid over it is the
query's own again: of a placard with a photo on it, the photo is looked up.
"""

from typing import NamedTuple

import cv2
import numpy as np

from foundation.photos.thumbnail import decode_thumbnail
from serving.match.decoded_query import DecodedQuery
from serving.match.evidence import LEAST_FEATURES, VIEWS, Evidence, QueryPhoto, StoredPhoto
from serving.match.geometry.transform import scaling
from serving.match.match import Match, Outcome
from serving.match.verdict import is_proved
from serving.match.verify import verify
from serving.search.ignored import IgnoredBank, KnownIgnored

# How a query may show an ignored photo: as it is, or mirrored.
SHOWN_AS = VIEWS[:2]
# From this share of its area on, the query is the ignored photo, and nothing else.
WHOLE = 0.9
# Where the map of differences is above this, the query shows something else; of a blurred one, where it is above the
# second. Islands of fewer pixels of the thumbnail are alike by chance. Around what is shown, features see some pixels
# of it, as a share of the thumbnail's longest side.
DIFFERS, BLURRED_DIFFERS, ISLAND, AROUND = 0.3, 0.5, 7, 0.04
# Photos without texture are the same if their colours are, in so many fields a side, but for so many levels of 255.
FIELDS, SAME_COLOURS = 8, 8.0
# A copy of which so much differs may be a stranger with the same logo.
DOUBTFUL = 0.25


class Seen(NamedTuple):
    """A query as it is looked up, and the ignored photo that it is, if it is nothing else."""

    pictured: QueryPhoto | None
    ignored: KnownIgnored | None = None


def look_past(bank: IgnoredBank, asked: DecodedQuery, pictured: QueryPhoto | None) -> Seen:
    """Returns a query without what it shows of ignored photos; `pictured` is it as it is, or at a closer look."""
    if not bank.known:
        return Seen(pictured)
    same = next((one for one in bank.known if one.content == asked.photo.content_sha256), None)
    if same or pictured is None:
        return Seen(pictured, same)
    if pictured.is_simple:
        return Seen(pictured, next((one for one in bank.known if _is_same_flat(pictured.picture, one)), None))
    shown = [
        (one, _area(evidence, pictured))
        for view in SHOWN_AS
        for one in bank.suspects(pictured.view(view))
        if (evidence := verify(pictured, _stored(one), views=[view])) and is_proved(evidence)
    ]
    for one, area in shown:
        if area.mean() >= WHOLE:
            return Seen(pictured, one)
        pictured = pictured.without(area)
    # What is left of the query may be too little to tell it from others.
    return Seen(pictured, shown[0][0] if shown and pictured.is_simple else None)


def is_doubtful(match: Match) -> bool:
    """Returns whether a copy may be a stranger that bears the same logo, and deserves a closer look."""
    dense = match.evidence.dense if match.evidence else None
    return match.is_copy and match.evidence is not None and (dense is None or dense.differing > DOUBTFUL)


def outcome_of_ignored(name: str, ignored: KnownIgnored) -> Outcome:
    """Returns the outcome of a query that is an ignored photo, and nothing else."""
    why = f"ignored: it shows {ignored.photo.name}, number {ignored.number} on the list of what must not match"
    return Outcome(name, "not_matchable", why)


def _stored(one: KnownIgnored) -> StoredPhoto:
    return StoredPhoto(one.features, one.thumbnail, lambda: (one.photo.width, one.photo.height))


def _area(evidence: Evidence, pictured: QueryPhoto) -> np.ndarray:
    """Returns where the query shows an ignored photo: bool [h, w] of its picture."""
    size = (pictured.picture.shape[1], pictured.picture.shape[0])
    if evidence.dense is None:
        area = np.zeros((size[1], size[0]), np.uint8)
        quad = evidence.quad * (np.array(size) / evidence.query_size)
        return np.asarray(cv2.fillPoly(area, [np.rint(quad).astype(np.int32)], 1) > 0)
    same = _same(evidence.dense.difference)
    to_thumbnail = scaling(evidence.photo_size, (same.shape[1], same.shape[0]))
    onto = to_thumbnail @ evidence.transform @ np.linalg.inv(scaling(evidence.query_size, size))
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_NEAREST
    return np.asarray(cv2.warpPerspective(same, onto, size, flags=flags) > 0)


def _same(difference: np.ndarray) -> np.ndarray:
    """Returns where a query shows what an ignored photo does, uint8 [h, w], by a map of differences of that size."""
    typical = float(np.nanmedian(difference)) if np.isfinite(difference).any() else 0.0
    limit = np.clip(2 * typical + DIFFERS, DIFFERS, BLURRED_DIFFERS)
    same = (np.nan_to_num(difference, nan=1.0) <= limit).astype(np.uint8)
    around = 2 * round(AROUND * max(same.shape) / 2) + 1
    same = cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((ISLAND, ISLAND), np.uint8))
    return cv2.dilate(same, np.ones((around, around), np.uint8))


def _is_same_flat(picture: np.ndarray, one: KnownIgnored) -> bool:
    """Whether a query without texture shows an ignored photo without texture: by its colours, field by field."""
    if len(one.features) >= LEAST_FEATURES:
        return False
    fields = [
        cv2.resize(pixels, (FIELDS, FIELDS), interpolation=cv2.INTER_AREA).astype(np.float32)
        for pixels in (picture, decode_thumbnail(one.thumbnail))
    ]
    return bool(np.abs(fields[0] - fields[1]).max() <= SAME_COLOURS)
