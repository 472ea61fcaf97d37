"""Watches queries that no archive had: keeps their features, and looks them up in each snapshot that is published."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import simplejpeg

from foundation.errors import ArtifactRefusedError, FirstseenError
from foundation.photos import photo
from foundation.photos.local_features import FEATURE_RULE, LocalFeatures
from foundation.photos.local_features_bytes import pack_keypoints, unpack_keypoints
from foundation.photos.query_features import CLOSE_SIDE, close_features
from foundation.photos.rejects import told_of
from foundation.photos.thumbnail import THUMBNAIL_QUALITY, decode_thumbnail, shrink_frame
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.retractions import retracted_photos
from foundation.store.snapshots import read_snapshot, snapshot_numbers
from foundation.store.watched import (
    FEATURES,
    FRAME,
    PHOTO,
    Found,
    FoundPhoto,
    Watched,
    add_watched,
    found_contents,
    list_watched,
    pack_features,
    read_found,
    read_watched_file,
    record_found,
    unpack_features,
)
from serving.match.decoded_query import DecodedQuery
from serving.match.evidence import QueryPhoto
from serving.match.match import Match, Outcome
from serving.match.query import Query
from serving.searcher import Searcher

# The frame that is kept of a watched query, in pixels: docs/local-features.md says what smaller ones lose.
FRAME_SIDE = 128


@dataclass(frozen=True)
class NewlySeen:
    """What a snapshot has of a watched query that nobody was told before."""

    watched: Watched
    found: Found


def watched_contents(store: Store) -> set[str]:
    """Returns the content hashes, in hex, of what is watched: reads every description."""
    return {one.content_sha256 for one in list_watched(store)[0]}


def watch_photo(
    store: Store,
    name: str,
    data: bytes,
    *,
    note: str = "",
    keep_photo: bool = False,
    known: set[str] | None = None,
) -> Watched | None:
    """Watches a photo from now on, or returns None if its bytes are watched; raises PhotoError for one of no use.

    `known` are the `watched_contents`, and takes up that of the photo; give it to watch many.
    """
    content = hashlib.sha256(data).digest()
    with told_of(name):
        decoded = photo.decode(data, size=1, with_metadata=False, frame_side=CLOSE_SIDE, content_sha256=content)
    known = watched_contents(store) if known is None else known
    if decoded.frame is None or content.hex() in known:
        return None
    features = close_features(decoded.frame)
    packed = pack_keypoints(features.keypoints, width=features.width, height=features.height)
    described = Watched(
        watch_id=artifact.fresh_name(),
        created_at=artifact.now(),
        query=name,
        note=note,
        content_sha256=content.hex(),
        width=decoded.width,
        height=decoded.height,
        frame_width=features.width,
        frame_height=features.height,
        feature_rule=FEATURE_RULE,
        files={},
    )
    held = {FEATURES: pack_features(packed, features.descriptors), FRAME: _small_frame(decoded.frame)}
    added = add_watched(store, described, held | ({PHOTO: data} if keep_photo else {}))
    known.add(content.hex())
    return added


def _small_frame(frame: np.ndarray) -> bytes:
    # In colour: of a grey one every copy would be called recoloured.
    small = np.ascontiguousarray(shrink_frame(frame, max_side=FRAME_SIDE))
    return simplejpeg.encode_jpeg(small, quality=THUMBNAIL_QUALITY)


def brings_photos(store: Store) -> bool:
    """Returns whether the live snapshot has a segment of photos that the one before did not have.

    Without any, photos went, moved or got other words. One that came back as it was is found by the next full check.
    """
    live, *earlier = snapshot_numbers(store)[:-3:-1]
    known: set[str] = set()
    # A snapshot that cannot be read, or that gc removed, is no reason not to look.
    with suppress(FirstseenError):
        known = {one.segment_id for number in earlier for one in read_snapshot(store, number).segments}
    return any(one.rows and one.segment_id not in known for one in read_snapshot(store, live).segments)


def check_watched(
    store: Store, *, only: Sequence[str] | None = None, on_problem: Callable[[str], None]
) -> Generator[NewlySeen, None, None]:
    """Yields what the live snapshot has of watched queries, or `only` of these ids, and was not found before.

    It is kept in the store when the next is asked for, and so is told once: whoever could not write it down lets the
    iterator go, and is told again by the next check. Opens the whole snapshot, as every lookup does: every byte of its
    index is read, and that of a bucket copied. Then looks each query up at full effort. Without any query it costs one
    listing. `on_problem` is told of queries that cannot be looked up; the others are.
    """
    watched, damaged = list_watched(store)
    for watch_id, why in damaged.items():
        on_problem(f"watched query {watch_id} cannot be looked up: {why}")
    asked = [one for one in watched if only is None or one.watch_id in only]
    if not asked or not snapshot_numbers(store):
        return
    # Those that nothing was found of are asked together; of others, what was found is passed over.
    by_known: dict[frozenset[bytes], list[Watched]] = defaultdict(list)
    for one in asked:
        by_known[found_contents(read_found(store, one.watch_id))].append(one)
    with Searcher.open(store) as searcher:
        for known, some in by_known.items():
            for one, photos in _look_up(searcher, known, some, partial(_usable, store, on_problem=on_problem)):
                # Another check may have told some of it meanwhile.
                told = {content.hex() for content in found_contents(read_found(store, one.watch_id))}
                new = [photo for photo in photos if photo.content_sha256 not in told]
                if new:
                    number = searcher.snapshot.number
                    found = Found(watch_id=one.watch_id, snapshot=number, created_at=artifact.now(), photos=new)
                    yield NewlySeen(one, found)
                    # A process that dies in between tells it twice. Recorded first, it would never be told.
                    record_found(store, found)


def _look_up(
    searcher: Searcher,
    known: frozenset[bytes],
    watched: Sequence[Watched],
    usable: Callable[[Iterable[Watched]], Iterator[tuple[Watched, Query | DecodedQuery]]],
) -> Iterator[tuple[Watched, list[FoundPhoto]]]:
    """Yields the watched queries that there are copies of beside `known` contents, with all of these."""
    asked: list[Watched] = []

    def queries() -> Iterator[Query | DecodedQuery]:
        for one, query in usable(watched):
            asked.append(one)
            yield query

    outcomes = searcher.find_beside(known, queries())
    first = [(number, found) for number, outcome in enumerate(outcomes) if (found := _copies(outcome))]
    for number, found in first:
        more = found
        # A lookup ends with the best matches: the others would seem to be new in the next snapshot.
        while more:
            beside = known | {bytes.fromhex(photo.content_sha256) for photo in found}
            again = searcher.find_beside(beside, (query for _, query in usable([asked[number]])))
            more = [photo for outcome in again for photo in _copies(outcome)]
            found += more
        yield asked[number], found


def _usable(
    store: Store, watched: Iterable[Watched], *, on_problem: Callable[[str], None]
) -> Iterator[tuple[Watched, Query | DecodedQuery]]:
    for one in watched:
        try:
            yield one, _query(store, one)
        except FirstseenError as error:
            on_problem(f"watched query {one.watch_id} cannot be looked up: {error}")


def _query(store: Store, watched: Watched) -> Query | DecodedQuery:
    """Returns a watched query as it is looked up: its photo if that is kept, and else what was made of it."""
    if watched.keeps_photo:
        return Query(watched.query, partial(read_watched_file, store, watched, PHOTO))
    if watched.feature_rule != FEATURE_RULE:
        raise ArtifactRefusedError(
            f"its features were made by rule {watched.feature_rule}, this program makes them by rule {FEATURE_RULE}; "
            f"`firstseen watch remove {watched.watch_id}`, and add the photo again"
        )
    packed, descriptors = unpack_features(read_watched_file(store, watched, FEATURES))
    features = LocalFeatures(watched.frame_width, watched.frame_height, unpack_keypoints(packed), descriptors)
    frame = decode_thumbnail(read_watched_file(store, watched, FRAME))
    pictured = QueryPhoto(watched.width, watched.height, features, frame, is_close=True)
    content = bytes.fromhex(watched.content_sha256)
    size = watched.width, watched.height
    return DecodedQuery.without_pixels(
        watched.query, content, size=size, pictured=pictured, is_simple=pictured.is_simple
    )


def _copies(outcome: Outcome) -> list[FoundPhoto]:
    return [_found(match) for match in outcome.matches if match.is_copy]


def _found(match: Match) -> FoundPhoto:
    return FoundPhoto(
        content_sha256=match.candidate.content.hex(),
        archive=match.photo["archive"],
        photo_id=match.photo["photo_id"],
        uri=match.photo["uri"],
        verdict=match.verdict.name,
        score=round(match.verdict.score, 6),
        first_seen_at=match.seen.at.isoformat() if match.seen.at else None,
    )


def rows_of(watched: Watched, snapshot: int, photos: Iterable[FoundPhoto]) -> list[dict[str, Any]]:
    """Returns what was found of a watched query in one snapshot as JSON has it, an object a photo."""
    asked = {"watch_id": watched.watch_id, "note": watched.note, "query": watched.query}
    return [asked | {"watched_at": watched.created_at, "snapshot": snapshot} | _columns(one) for one in photos]


def described(store: Store, watched: Iterable[Watched]) -> Iterator[dict[str, Any]]:
    """Yields watched queries with all that was found of them as JSON has it, but for what was retracted since."""
    retracted = retracted_photos(store)
    contents = {one.content_sha256 for one in retracted}
    # What was found before archives were kept may be any archive's.
    names = {(archive, one.photo_id) for one in retracted for archive in (one.archive, "")}
    for one in watched:
        found = [
            {"snapshot": each.snapshot} | _columns(photo)
            for each in read_found(store, one.watch_id)
            for photo in each.photos
            if photo.content_sha256 not in contents and (photo.archive, photo.photo_id) not in names
        ]
        yield {
            "watch_id": one.watch_id,
            "note": one.note,
            "query": one.query,
            "watched_at": one.created_at,
            "keeps_photo": one.keeps_photo,
            "found": found,
        }


def _columns(photo: FoundPhoto) -> dict[str, Any]:
    return {name: getattr(photo, name) for name in ("photo_id", "uri", "verdict", "score", "first_seen_at")}
