"""Looks at candidates closer: is one in the query, what was done to it, and since when is it known."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from foundation.store.occurrences import Occurrence, first_seen
from serving.match.candidates import Candidate
from serving.match.description import describe
from serving.match.evidence import Evidence, QueryPhoto, Size, StoredPhoto
from serving.match.match import Match
from serving.match.verdict import Verdict, judge, judge_unproved, judge_unverified
from serving.match.verify import verify
from serving.search.local_index import Stored
from serving.search.searched_snapshot import SearchedSnapshot
from serving.search.snapshot import Place

IDENTICAL = "the same file, byte for byte"
# From this share of its area on, a query is taken for one photo, and not for a page that shows some.
EXPLAINED = 0.5
# Once a photo explains the query, others are compared that have this share of its votes: other copies of it have more.
OTHERS = 0.1


def explains(match: Match) -> bool:
    """Returns whether most of the query is the match's photo."""
    return match.is_copy and (match.evidence is None or match.evidence.query_overlap >= EXPLAINED)


def examine_all(
    opened: SearchedSnapshot, pictured: QueryPhoto | None, candidates: Iterable[Candidate], *, with_similar: bool
) -> list[Match]:
    """Returns what candidates come to, those with the most votes given first; see `examine`."""
    matches: list[Match] = []
    least = 0.0
    for one in candidates:
        compared = one if one.votes >= least else replace(one, views=())
        if match := examine(opened, pictured, compared, with_similar=with_similar):
            matches.append(match)
            least = max(least, OTHERS * one.votes if explains(match) else 0.0)
    return matches


def examine(
    opened: SearchedSnapshot, pictured: QueryPhoto | None, candidate: Candidate, *, with_similar: bool
) -> Match | None:
    """Returns the candidate as a match with its verdict, or None for what is no copy, unless `with_similar`.

    `pictured` is None where the archive keeps no features.
    """
    # What is only near, and not among the nearest, is not worth a comparison: nothing of it is read.
    if not (with_similar or candidate.views or candidate.is_identical):
        return None
    # Some segments may have been made without features: any that has some will do, since the bytes are the same.
    stored = next((found for found in map(opened.stored, candidate.places) if found), None)
    evidence = None
    if pictured and stored and candidate.views and not candidate.is_identical:
        evidence = _verify(opened, pictured, stored, candidate)
    verdict = _judge(candidate, evidence, opened.spec.distance, is_compared=bool(pictured and stored))
    # Columns of photos are read in groups of thousands: those of strangers are left where they are.
    if not with_similar and not verdict.is_copy:
        return None
    occurrences = opened.occurrences(candidate.content)
    # The only photo that has it may have been retracted by its name, or since it was found.
    if not occurrences:
        return None
    # Several segments say the same of the same bytes; the last one was written by the latest program.
    place = candidate.places[-1]
    photo = opened.photo(place)
    seen = first_seen(occurrences, photo["captured_at"])
    description = describe(evidence, verdict) if evidence else IDENTICAL if candidate.is_identical else ""
    thumbnail = stored.thumbnail if stored else b""
    columns = _columns(photo, occurrences[0])
    return Match(columns, place, candidate, verdict, seen, evidence, thumbnail or None, description)


def _columns(photo: Mapping[str, Any], first: Occurrence) -> dict[str, Any]:
    """Returns the columns of a match: what the first published photo says, and what its file says of itself."""
    return {
        **{name: photo[name] for name in ("content_sha256", "width", "height", "captured_at")},
        **{name: getattr(first, name) for name in ("archive", "photo_id", "uri", "published_at", "source")},
        "caption": first.caption or photo["caption"],
        "credit": first.credit or photo["credit"],
    }


def _verify(opened: SearchedSnapshot, pictured: QueryPhoto, stored: Stored, candidate: Candidate) -> Evidence | None:
    photo = StoredPhoto(stored.features, stored.thumbnail, partial(_size, opened, candidate.places[0]))
    return verify(pictured, photo, views=candidate.views)


def _size(opened: SearchedSnapshot, place: Place) -> Size:
    photo = opened.photo(place)
    return photo["width"], photo["height"]


def _judge(candidate: Candidate, evidence: Evidence | None, distance: str, *, is_compared: bool) -> Verdict:
    if evidence:
        return judge(evidence)
    if candidate.is_identical or not is_compared:
        return judge_unverified(candidate, distance)
    return judge_unproved(candidate, distance)
