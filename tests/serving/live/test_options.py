"""What a store is served with is checked at the start."""

import pytest

from foundation.errors import UsageError
from serving.live.options import LiveOptions


@pytest.mark.parametrize(
    "name", ["snapshot_poll_seconds", "batch_size", "queue_queries", "canaries", "deadline_seconds"]
)
@pytest.mark.parametrize("value", [-1, 10**9])
def test_options_out_of_range_are_refused(name: str, value: int):
    """The error names the flag and the value."""
    with pytest.raises(UsageError, match=f"^--{name.replace('_', '-')} is {value}; expected"):
        LiveOptions(**{name: value})
