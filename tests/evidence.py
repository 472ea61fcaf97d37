"""Matches with evidence as a lookup makes it, from a transform that a test knows."""

from typing import Any

import numpy as np

from foundation.store.occurrences import FirstSeen
from serving.match.candidates import Candidate
from serving.match.evidence import Dense, Evidence, View
from serving.match.match import Match
from serving.match.verdict import Verdict
from serving.search.snapshot import Place
from tests.builders import content, day, photo_columns


def made_evidence(
    transform: np.ndarray,
    *,
    difference: np.ndarray | None = None,
    is_mirrored: bool = False,
    is_inverted: bool = False,
    **changes: Any,
) -> Evidence:
    """Returns evidence of that transform, float [3, 3]; with a map of differences it says what the pixels say, too."""
    measured: dict[str, Any] = {
        "inliers": 57,
        "matches": 80,
        "residual": 0.43,
        "model": "similarity",
        "query_size": (60, 50),
        "photo_size": (120, 80),
        "query_overlap": 0.9,
        "photo_overlap": 0.54,
        "dense": None if difference is None else _dense(difference),
    }
    view = View(is_mirrored, is_inverted)
    return Evidence(transform=np.asarray(transform, float), view=view, **{**measured, **changes})


def _dense(difference: np.ndarray) -> Dense:
    return Dense(
        blocks=40,
        agreement=0.875,
        parallax=0.05,
        displacement=0.2,
        perspective=0.1,
        tone=3.0,
        colour=1.0,
        saturation=1.0,
        differing=0.1,
        added=0.0,
        look_of_added={},
        softened=0.0,
        unevenness=60.0,
        difference=difference,
        photo_shown=0.5,
    )


def made_match(
    name: str = "a",
    *,
    verdict: str = "cropped",
    score: float = 0.97,
    seen: FirstSeen | None = None,
    evidence: Evidence | None = None,
    photo: dict[str, Any] | None = None,
    **changes: Any,
) -> Match:
    """Returns a match of a photo of that name, published on day 3 unless told otherwise; its columns take `photo`."""
    columns = photo_columns(f"{name}.jpg", published_at=day(3)) | {"width": 96, "height": 64, **(photo or {})}
    seen = seen or FirstSeen(day(3), columns["uri"], 1, day(3), "published")
    place = Place(0, 0)
    candidate = Candidate(columns["content_sha256"] or content(name), 0.5, verdict == "identical", [place])
    return Match(columns, place, candidate, Verdict(verdict, score), seen, evidence, **changes)
