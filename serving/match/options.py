"""Checks how many matches a query gets, how good they must be, and how many queries are computed at a time."""

from dataclasses import dataclass

from foundation.checks import require_range


@dataclass(frozen=True, kw_only=True)
class MatchOptions:
    """What a lookup may be asked for: matches per query, their least score from 0 to 1, and queries per batch."""

    top_k: int = 10
    min_score: float = 0.0
    batch_size: int = 64

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("top-k", self.top_k, 1, 1_000)
        require_range("min-score", self.min_score, 0, 1)
        require_range("batch-size", self.batch_size, 1, 4_096, remedy="memory grows with it")
