"""Looks at one candidate closer: is it in the query, what was done to it, and since when is it known."""

from foundation.store.occurrences import first_seen
from serving.match.candidates import Candidate
from serving.match.description import describe
from serving.match.evidence import QueryPhoto, StoredPhoto
from serving.match.match import Match
from serving.match.verdict import judge, judge_unproved, judge_unverified
from serving.match.verify import verify
from serving.search.snapshot import OpenSnapshot

IDENTICAL = "the same file, byte for byte"


def examine(opened: OpenSnapshot, pictured: QueryPhoto | None, candidate: Candidate) -> Match:
    """Returns the candidate as a match with its verdict; `pictured` is None where the archive keeps no features."""
    rows = [opened.photo(place) for place in candidate.places]
    seen = first_seen(rows)
    # Of several segments that hold the content, the one with its first place speaks for it.
    place, photo = min(zip(candidate.places, rows, strict=True), key=lambda pair: pair[1]["uri"] != seen.uri)
    # Some segments may have been made without features: any that has some will do, since the bytes are the same.
    stored = next((found for found in map(opened.stored, candidate.places) if found), None)
    thumbnail = stored.thumbnail or None if stored else None
    if candidate.is_identical or not (pictured and stored):
        verdict = judge_unverified(candidate, opened.spec.distance)
        description = IDENTICAL if candidate.is_identical else ""
        return Match(photo, place, candidate, verdict, seen, thumbnail=thumbnail, description=description)
    # What is only near, and not among the nearest, is not worth a comparison.
    evidence = None
    if candidate.views:
        kept = StoredPhoto(photo["width"], photo["height"], stored.features, stored.thumbnail)
        evidence = verify(pictured, kept, views=candidate.views)
    verdict = judge(evidence) if evidence else judge_unproved(candidate, opened.spec.distance)
    description = describe(evidence, verdict) if evidence else ""
    return Match(photo, place, candidate, verdict, seen, evidence, thumbnail, description)
