"""Options of a lookup: what is refused, and in which words."""

from datetime import datetime
from typing import Any

import pytest

from foundation.errors import UsageError
from serving.match.options import MatchOptions


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"top_k": 0}, "top-k is 0; expected 1 to 1,000"),
        ({"min_score": 1.5}, "min-score is 1.5; expected 0 to 1"),
        ({"batch_size": 5_000}, "batch-size is 5000; expected 1 to 4,096"),
        ({"effort": "most"}, "effort is 'most'; expected one of: full, fast"),
        ({"claimed_date": datetime(2024, 5, 1)}, "expected a time zone: tzinfo=timezone.utc"),
    ],
)
def test_values_out_of_range_are_named(changes: dict[str, Any], words: str):
    """Received, expected, remedy; before anything is opened."""
    with pytest.raises(UsageError, match=words):
        MatchOptions(**changes)
