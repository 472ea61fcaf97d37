"""Finds the photos that are to be retracted: by their names, or as copies of a photo that is shown."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from foundation.errors import InputNotFoundError, UsageError
from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, latest_occurrences
from foundation.store.retractions import RetractedPhoto
from foundation.store.snapshots import live_snapshot, read_contents
from serving.photos_in_runs import photos_in_runs
from serving.search.names import Named, find_named, like, named_in
from serving.searcher import Searcher

# Names that are told where one was mistyped.
NEAR_NAMES = 3


class Copy(NamedTuple):
    """A photo of an archive that is a copy of another: what it is, how sure that is, and since when it is known."""

    photo: RetractedPhoto
    uri: str
    verdict: str
    score: float
    first_seen_at: datetime | None


def copies_of(store: Store, query: str) -> list[Copy]:
    """Returns every copy of a photo (path or URI) in the live snapshot; raises InputNotFoundError without any."""
    with Searcher.open(store) as searcher:
        found = [
            Copy(_photo(match.candidate.content, one), one.uri, match.verdict.name, match.verdict.score, match.seen.at)
            for match, occurrences in searcher.copies(query)
            for one in occurrences
        ]
        number = searcher.snapshot.number
    if not found:
        raise InputNotFoundError(f"no copy of {query} in snapshot {number}; expected at least one to retract")
    return found


def photos_named(store: Store, photo_ids: Sequence[str], *, archive: str | None = None) -> list[RetractedPhoto]:
    """Returns the photos of these names with the contents they have now in the live snapshot, or had last.

    One that the live snapshot does not mention is looked for in all runs of the store: its bytes lie there. Raises
    InputNotFoundError if one is not known, with names that resemble it, and UsageError if several archives have it and
    none is named.
    """
    live = live_snapshot(store)
    segments = read_contents(store, live)[1] if live else []
    by_name = defaultdict(list)
    for photo in _current(find_named(store, segments, named_in(photo_ids)), archive):
        by_name[photo.photo_id].append(photo)
    if unmentioned := [photo_id for photo_id in photo_ids if photo_id not in by_name]:
        for photo in photos_in_runs(store, unmentioned, archive=archive):
            by_name[photo.photo_id].append(photo)
    for photo_id in photo_ids:
        if photo_id not in by_name:
            near = find_named(store, segments, like(photo_id))
            raise InputNotFoundError(_unknown(photo_id, archive, near))
        require_one_archive(photo_id, by_name[photo_id])
    return [photo for photo_id in dict.fromkeys(photo_ids) for photo in by_name[photo_id]]


def require_one_archive(photo_id: str, photos: Iterable[RetractedPhoto]) -> None:
    """Raises UsageError if some photos of this name lie in several archives: nobody is guessed."""
    archives = sorted({photo.archive for photo in photos if photo.photo_id == photo_id})
    if len(archives) > 1:
        raise UsageError(
            f"photo {photo_id} is in {len(archives)} archives; expected --archive, one of: {', '.join(archives)}"
        )


def _current(found: Iterable[Named], archive: str | None) -> list[RetractedPhoto]:
    """Returns each photo that is spoken of, with the contents that it has, or those of its last run if it has none."""
    by_content: dict[bytes, list[Occurrence]] = defaultdict(list)
    for content, occurrence in found:
        by_content[content].append(occurrence)
    said = [(content, one) for content, some in by_content.items() for one in latest_occurrences(some)]
    photos: dict[tuple[str, str], list[tuple[bytes, Occurrence]]] = defaultdict(list)
    for content, one in said:
        if archive is None or _is_of(one, archive):
            photos[one.photo].append((content, one))
    return [_photo(content, one) for some in photos.values() for content, one in _last(some)]


def _last(said: list[tuple[bytes, Occurrence]]) -> list[tuple[bytes, Occurrence]]:
    latest = max(one.generation for _, one in said)
    here = [(content, one) for content, one in said if not one.is_removed]
    return here or [(content, one) for content, one in said if one.generation == latest]


def _is_of(occurrence: Occurrence, archive: str) -> bool:
    # What was encoded before archives were named lies in the archive that its uri begins with.
    return occurrence.archive == archive or (
        not occurrence.archive and occurrence.uri.startswith(archive.rstrip("/") + "/")
    )


def _photo(content: bytes, occurrence: Occurrence) -> RetractedPhoto:
    return RetractedPhoto(archive=occurrence.archive, photo_id=occurrence.photo_id, content_sha256=content.hex())


def _unknown(photo_id: str, archive: str | None, near: Iterable[Named]) -> str:
    where = f"archive {archive}" if archive else "the live snapshot, nor in any run"
    names = list(dict.fromkeys(one.occurrence.photo_id for one in islice(near, 100)))[:NEAR_NAMES]
    remedy = f"is it one of: {', '.join(names)}?" if names else "`firstseen lookup PHOTO` shows the photo_id of a photo"
    return f"no photo {photo_id} in {where}; nothing was retracted: {remedy}"
