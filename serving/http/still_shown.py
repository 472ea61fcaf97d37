"""Leaves out of a lookup that is kept what was withdrawn since: a retraction counts in every answer."""

from dataclasses import replace
from typing import NamedTuple

from foundation.store.occurrences import first_seen
from serving.http.held import HeldQuery
from serving.match.first_seen import first_seen_by_part
from serving.match.footprint import Size
from serving.match.match import Match, Outcome
from serving.search.snapshot import OpenSnapshot


class StillShown(NamedTuple):
    """What may be shown of a query: matches by the ranks that they were found with, and how many are withdrawn."""

    outcome: Outcome
    ranks: dict[int, Match]
    withdrawn: int


def still_shown(query: HeldQuery, opened: OpenSnapshot) -> StillShown:
    """Returns what of a query is shown; `opened` is the live snapshot, whose lists are up to date.

    A match goes if anything was withdrawn of it: its name and its caption may be those of the withdrawn photo. The
    others are dated anew, since the date of a copy may have been that of a withdrawn one.
    """
    matches = query.outcome.matches
    left = {rank: match for rank, match in enumerate(matches, 1) if _is_shown(match, query, opened)}
    withdrawn = len(matches) - len(left)
    if not withdrawn:
        return StillShown(query.outcome, left, 0)
    dated = first_seen_by_part([_alone(match, query) for match in left.values()], _size(query))
    left = dict(zip(left, dated, strict=True))
    outcome = replace(query.outcome, matches=dated)
    if query.outcome.status == "matched" and not any(match.is_copy for match in dated):
        outcome = replace(outcome, status="no_match", reason="what was found was withdrawn from the archive since")
    return StillShown(outcome, left, withdrawn)


def _is_shown(match: Match, query: HeldQuery, opened: OpenSnapshot) -> bool:
    content = match.photo["content_sha256"]
    occurrences = list(query.occurrences[content])
    return opened.left_of(content, occurrences) == occurrences


def _alone(match: Match, query: HeldQuery) -> Match:
    occurrences = query.occurrences[match.photo["content_sha256"]]
    return replace(match, seen=first_seen(occurrences, match.photo["captured_at"]))


def _size(query: HeldQuery) -> Size:
    return query.picture.size if query.picture else Size(1, 1)
