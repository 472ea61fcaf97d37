"""Answers to queries that nobody asked."""

from datetime import datetime, timezone

from evaluation.copies.answered import Answered, Found
from evaluation.copies.measure import Asked
from evaluation.copies.plan import CopyQuery
from evaluation.copies.result import LookupCosts

DAY = datetime(2015, 1, 1, tzinfo=timezone.utc)
COSTS = LookupCosts(
    open_seconds=1, batch_ms=5, batch_core_ms=8, one_ms=20, one_slow_ms=30, search_bytes=4_000,
    verification_bytes=9_000, table_bytes=100,
)  # fmt: skip


def copy(right: str, *found: Found, kind: str = "grey", verdict: str = "recoloured") -> Asked:
    """Returns an edited copy of an archive photo with its answers."""
    query = CopyQuery(group="copy", kind=kind, source=right, right=right, verdict=verdict)
    return query, Answered("matched" if found else "no_match", found)


def negative(name: str, *found: Found, kind: str = "unedited") -> Asked:
    """Returns a query without a photo to find."""
    return CopyQuery(group="negative", kind=kind, source=name), Answered("matched", found)


def scene_query(name: str, scene: str, *found: Found) -> Asked:
    """Returns another photograph of what some archive photos show, each of them called by a letter."""
    return CopyQuery(group="scene", kind="unedited", source=name, scene=tuple(scene)), Answered("matched", found)
