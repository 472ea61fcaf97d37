"""Compares the date that is claimed for a photo with when the archive published copies of it."""

from datetime import date, datetime, timedelta, timezone

from foundation.errors import UsageError
from serving.answers import Claim

# Where a day begins first: nobody on earth has that date earlier. Whoever claims a date alone names no time zone, and a
# photo published at noon of 30 April in London may well show the first of May in Auckland.
FIRST_ZONE = timezone(timedelta(hours=14))


def parse_claimed_date(text: str) -> datetime:
    """Returns the earliest moment that the text may mean; a time without an offset is UTC.

    A date alone begins where that day begins first, at UTC+14. Raises UsageError unless it is an ISO 8601 date or time.
    """
    try:
        try:
            moment = datetime.combine(date.fromisoformat(text), datetime.min.time(), FIRST_ZONE)
        except ValueError:
            moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        # The first day of the year 1 has no counterpart in UTC, with which it will be compared.
        moment.astimezone(timezone.utc)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--claimed-date is {text!r}; expected a date or a time, such as 2024-05-01 or 2024-05-01T16:30:00+02:00"
        ) from error
    return moment


def claimed_words(claimed: datetime) -> str:
    """Returns a claimed date as people write it: the day alone if no time was given."""
    if _is_day(claimed):
        return f"{claimed:%-d %B %Y}"
    return f"{claimed:%-d %B %Y %H:%M} UTC{claimed:%z}"


def noon_of(claimed: datetime) -> datetime:
    """Returns where a claimed date lies among others: of a day its noon in UTC, since it begins on the day before."""
    return claimed.replace(hour=12, tzinfo=timezone.utc) if _is_day(claimed) else claimed


def _is_day(claimed: datetime) -> bool:
    return claimed.tzinfo == FIRST_ZONE and claimed.time() == datetime.min.time()


def judge_claim(published_at: datetime | None, claimed: datetime | None) -> Claim | None:
    """Returns whether the first publication of a copy contradicts the claim; None without either date.

    What was published before the day that it is said to show does contradict it. Capture times do not count: they
    stand in the photo's file, where anybody can set them.
    """
    if published_at is None or claimed is None:
        return None
    return "contradicted" if published_at < claimed else "not_contradicted"
