"""Checks how many matches a query gets, how good they must be, and how hard they are looked for."""

from dataclasses import dataclass
from datetime import datetime

from foundation.checks import require_choice, require_range
from foundation.errors import UsageError

EFFORTS = ("full", "fast")


@dataclass(frozen=True, kw_only=True)
class MatchOptions:
    """What a lookup may be asked for: matches per query, their least score from 0 to 1, and queries per batch.

    With `similar`, what is no copy is listed too, below the copies. `effort` is `full`, or `fast`, which may miss
    copies that are hard to find. `claimed_date` is when the queries are said to have been taken.
    """

    top_k: int = 10
    min_score: float = 0.0
    batch_size: int = 64
    similar: bool = False
    effort: str = "full"
    claimed_date: datetime | None = None

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("top-k", self.top_k, 1, 1_000)
        require_range("min-score", self.min_score, 0, 1)
        require_range("batch-size", self.batch_size, 1, 4_096, remedy="memory grows with it")
        require_choice("effort", self.effort, EFFORTS)
        if self.claimed_date and self.claimed_date.tzinfo is None:
            raise UsageError(f"claimed_date is {self.claimed_date}; expected a time zone: tzinfo=timezone.utc")
