"""Checks: the message names what was received, what was expected and the remedy."""

import math

import pytest

from foundation.checks import require_choice, require_digest, require_range
from foundation.errors import ArtifactRefusedError, UsageError


@pytest.mark.parametrize(
    ("value", "lowest", "highest", "message"),
    [
        (0, 1, math.inf, "top-k is 0; expected at least 1"),
        (1001, 1, 1000, "top-k is 1001; expected 1 to 1,000"),
        (1.5, 0, 1, "top-k is 1.5; expected 0 to 1"),
        (math.nan, 0, 1, "top-k is nan; expected 0 to 1"),
    ],
)
def test_a_value_out_of_range_is_refused_with_both_sides(value: float, lowest: float, highest: float, message: str):
    """Whole numbers, shares, open ranges and what is not a number."""
    with pytest.raises(UsageError, match=f"^{message}$"):
        require_range("top-k", value, lowest, highest)


def test_the_remedy_follows_the_expectation():
    """Where a bound needs a reason, the message ends in it."""
    with pytest.raises(UsageError, match=r"^batch-size is 9; expected 1 to 4: memory grows with it$"):
        require_range("batch-size", 9, 1, 4, remedy="memory grows with it")


@pytest.mark.parametrize("value", [0, 0.5, 1])
def test_both_ends_of_a_range_are_in_it(value: float):
    """A value at a bound passes."""
    require_range("share", value, 0, 1)


def test_an_unknown_choice_is_answered_with_all_of_them():
    """The valid ones are listed; a valid one passes."""
    require_choice("distance", "cosine", ("cosine", "euclidean"))
    with pytest.raises(UsageError, match=r"^distance is 'l1'; expected one of: cosine, euclidean$"):
        require_choice("distance", "l1", ("cosine", "euclidean"))


def test_a_digest_that_differs_names_both_sides():
    """The artifact, the one that names it, and what to do; the same digest passes."""
    require_digest("run a", "1" * 64, expected="1" * 64, named_by="segment b", remedy="restore it")
    with pytest.raises(
        ArtifactRefusedError, match=r"^run a has the digest 111111111111…, segment b names 222222222222…; "
    ):
        require_digest("run a", "1" * 64, expected="2" * 64, named_by="segment b", remedy="restore it")
