"""Holds what was found for one query, apart from the contract in which it is answered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from foundation.store.occurrences import FirstSeen
from foundation.store.snapshots import Snapshot
from serving.answers import Answer, Status
from serving.match.candidates import Candidate
from serving.match.claim import judge_claim
from serving.match.verdict import Verdict
from serving.search.snapshot import Place

if TYPE_CHECKING:
    from serving.match.evidence import Evidence


@dataclass(frozen=True)
class Match:
    """One photo of the archive returned for a query: its columns, where the index holds it, and what it is.

    `photo` has the columns of the first published photo of this content, and those that its bytes tell: content_sha256,
    width, height, captured_at. `seen` is over all copies found that show the same part of the query.
    `evidence` is None where pixels were not compared, as of the same bytes; `thumbnail` is the JPEG that the index
    keeps of the photo, `description` the verdict in words.
    """

    photo: dict[str, Any]
    place: Place
    candidate: Candidate
    verdict: Verdict
    seen: FirstSeen
    evidence: "Evidence | None" = None
    thumbnail: bytes | None = None
    description: str = ""

    @property
    def is_copy(self) -> bool:
        """Whether the photo is in the query: not only similar, nor another photograph of the scene."""
        return self.verdict.is_copy


@dataclass(frozen=True)
class Outcome:
    """What a lookup came to: matches, best first, or the reason why there are none."""

    query: str
    status: Status
    reason: str | None = None
    matches: Sequence[Match] = field(default_factory=list)


def answers_of(outcome: Outcome, snapshot: Snapshot, *, claimed: datetime | None = None) -> list[Answer]:
    """Returns the rows of the contract: one per match, or one that says why there is none.

    `claimed` is the date that is claimed for the query, if there is one.
    """
    common: dict[str, Any] = {
        "query": outcome.query,
        "status": outcome.status,
        "reason": outcome.reason,
        "snapshot": snapshot.number,
        "encoder": snapshot.encoder_id,
    }
    if not outcome.matches:
        return [Answer(**common)]
    return [Answer(**common, rank=rank, **_columns(match, claimed)) for rank, match in enumerate(outcome.matches, 1)]


def _columns(match: Match, claimed: datetime | None) -> dict[str, Any]:
    return {
        "photo_id": match.photo["photo_id"],
        "uri": match.photo["uri"],
        "score": match.verdict.score,
        "similarity": match.candidate.similarity,
        "verdict": match.verdict.name,
        "first_seen_at": match.seen.at,
        "first_seen_basis": match.seen.basis,
        "first_seen_uri": match.seen.uri,
        "occurrences": match.seen.occurrences,
        "description": match.description or None,
        "claim": judge_claim(match.seen.published_at, claimed) if match.is_copy else None,
        **_measures(match.evidence),
        "published_at": match.photo["published_at"],
        "caption": match.photo["caption"],
        "credit": match.photo["credit"],
        "source": match.photo["source"],
    }


def _measures(evidence: "Evidence | None") -> dict[str, Any]:
    if evidence is None:
        return {}
    return {
        "inliers": evidence.inliers,
        "query_overlap": evidence.query_overlap,
        "photo_overlap": evidence.photo_overlap,
        "transform": np.asarray(evidence.transform, float).ravel().tolist(),
    }
