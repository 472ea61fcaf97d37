"""Says how a live store stands: what is loaded, what was refused and why, and how fresh its lists are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Reloaded:
    """What a look for new snapshots came to: the numbers that answered before and after, and refused ones with why.

    `problem` says what could not be read; the next look may.
    """

    before: int
    live: int
    refused: Mapping[int, str]
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class LiveState:
    """How a live store stands.

    `loaded` are the numbers of all snapshots in memory, `refused` those that do not answer, by why. `looked_at` is the
    last time that the store was looked at, and `problem` what could not be read then. `queue_queries` are in the hands
    of the engine; what was retracted or ignored is known as of `lists_age_seconds` ago.
    """

    is_ready: bool
    live: int
    loaded: tuple[int, ...]
    refused: Mapping[int, str]
    looked_at: datetime
    problem: str | None
    queue_queries: int
    lists_age_seconds: float
