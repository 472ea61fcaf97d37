"""Claimed dates: what contradicts them, and what a date means around the world."""

from datetime import datetime, timezone

import pytest

from foundation.errors import UsageError
from serving.match.claim import claimed_words, judge_claim, parse_claimed_date


def utc(text: str) -> datetime:
    """Returns a moment of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("claimed", "published", "claim"),
    [
        # The day begins at UTC+14 ten hours into the day before; what was published then may show it.
        ("2024-05-01", "2024-05-01", "not_contradicted"),
        ("2024-05-01", "2024-04-30T10:00", "not_contradicted"),
        ("2024-05-01", "2024-04-30T09:59", "contradicted"),
        ("2024-05-01", "2024-04-30", "contradicted"),
        ("2024-05-01", "2019-09-20", "contradicted"),
        ("2024-05-01", "2024-05-02", "not_contradicted"),
        # A time is a moment: in the zone that it names, else in UTC.
        ("2024-05-01T12:00", "2024-05-01T11:59", "contradicted"),
        ("2024-05-01T12:00Z", "2024-05-01T12:00", "not_contradicted"),
        ("2024-05-01T12:00+02:00", "2024-05-01T10:00", "not_contradicted"),
        ("2024-05-01T12:00+02:00", "2024-05-01T09:59", "contradicted"),
    ],
)
def test_only_an_earlier_publication_contradicts(claimed: str, published: str, claim: str):
    """One on the claimed day does not, in whatever part of the world that day is meant."""
    assert judge_claim(utc(published), parse_claimed_date(claimed)) == claim


def test_without_a_date_nothing_is_said():
    """Neither without a claim nor of a copy that no publication dates."""
    assert judge_claim(utc("2019-09-20"), None) is None
    assert judge_claim(None, parse_claimed_date("2024-05-01")) is None


@pytest.mark.parametrize("text", ["", "yesterday", "2024-13-01", "01.05.2024", "2024", "0001-01-01"])
def test_other_texts_are_refused(text: str):
    """The message shows two that are taken; nothing is guessed."""
    with pytest.raises(UsageError, match=r"--claimed-date is '.*'; expected a date or a time, such as 2024-05-01 or"):
        parse_claimed_date(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2024-05-01", "1 May 2024"),
        ("2024-05-01T00:00", "1 May 2024 00:00 UTC+0000"),
        ("2024-05-01T16:30+02:00", "1 May 2024 16:30 UTC+0200"),
    ],
)
def test_a_claim_is_shown_as_it_was_made(text: str, words: str):
    """The moment that a date alone stands for lies on the day before in UTC: people see the day they typed."""
    assert claimed_words(parse_claimed_date(text)) == words
