"""Matches with evidence as a lookup makes it, from a transform that a test knows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from foundation.store.occurrences import FirstSeen
from serving.match.candidates import Candidate
from serving.match.match import Match
from serving.match.verdict import Verdict
from serving.search.snapshot import Place
from tests.builders import content, day, photo_columns

IDENTITY = np.eye(3)


@dataclass(frozen=True, eq=False)
class MadeDense:
    """What the pixels say, as in `serving.match.evidence.Dense`."""

    difference: np.ndarray
    blocks: int = 40


@dataclass(frozen=True, eq=False)
class MadeEvidence:
    """The fields of `serving.match.evidence.Evidence` that are shown, without what it takes to compute them."""

    transform: np.ndarray
    inliers: int = 57
    residual: float = 0.43
    model: str = "similarity"
    query_overlap: float = 0.9
    photo_overlap: float = 0.54
    is_mirrored: bool = False
    is_inverted: bool = False
    agreement: float = 0.875
    dense: MadeDense | None = None


def made_evidence(transform: np.ndarray, *, difference: np.ndarray | None = None, **changes: Any) -> Any:
    """Returns evidence of that transform, float [3, 3], with a map of differences if there is one."""
    dense = None if difference is None else MadeDense(difference)
    return MadeEvidence(np.asarray(transform, float), dense=dense, **changes)


def made_match(
    name: str = "a",
    *,
    verdict: str = "cropped",
    score: float = 0.97,
    seen: FirstSeen | None = None,
    evidence: Any = None,
    photo: dict[str, Any] | None = None,
    **changes: Any,
) -> Match:
    """Returns a match of a photo of that name, published on day 3 unless told otherwise; its columns take `photo`."""
    columns = photo_columns(f"{name}.jpg", published_at=day(3)) | {"width": 96, "height": 64, **(photo or {})}
    seen = seen or FirstSeen(day(3), columns["uri"], 1, day(3))
    place = Place(0, 0)
    candidate = Candidate(columns["content_sha256"] or content(name), 0.5, verdict == "identical", [place])
    return Match(columns, place, candidate, Verdict(verdict, score), seen, evidence, **changes)
