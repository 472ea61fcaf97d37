"""Holds what was found for one query, apart from the contract in which it is answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from foundation.store.occurrences import FirstSeen
from foundation.store.snapshots import Snapshot
from serving.answers import Answer, Status
from serving.match.candidates import Candidate
from serving.match.verdict import Verdict
from serving.search.snapshot import Place


@dataclass(frozen=True)
class Match:
    """One photo of the archive returned for a query: its columns, where the index holds it, and what it is.

    `seen` is over all places that hold these bytes, `place` the one whose columns are shown.
    """

    photo: dict[str, Any]
    place: Place
    candidate: Candidate
    verdict: Verdict
    seen: FirstSeen


@dataclass(frozen=True)
class Outcome:
    """What a lookup came to: matches, best first, or the reason why there are none."""

    query: str
    status: Status
    reason: str | None = None
    matches: Sequence[Match] = field(default_factory=list)


def answers_of(outcome: Outcome, snapshot: Snapshot) -> list[Answer]:
    """Returns the rows of the contract: one per match, or one that says why there is none."""
    common: dict[str, Any] = {
        "query": outcome.query,
        "status": outcome.status,
        "reason": outcome.reason,
        "snapshot": snapshot.number,
        "encoder": snapshot.encoder_id,
    }
    if not outcome.matches:
        return [Answer(**common)]
    return [Answer(**common, rank=rank, **_columns(match)) for rank, match in enumerate(outcome.matches, 1)]


def _columns(match: Match) -> dict[str, Any]:
    return {
        "photo_id": match.photo["photo_id"],
        "uri": match.photo["uri"],
        "score": match.verdict.score,
        "similarity": match.candidate.similarity,
        "verdict": match.verdict.name,
        "first_seen_at": match.seen.at,
        "first_seen_uri": match.seen.uri,
        "occurrences": match.seen.occurrences,
        "published_at": match.photo["published_at"],
        "caption": match.photo["caption"],
        "credit": match.photo["credit"],
    }
