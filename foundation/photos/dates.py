"""Reads dates as cameras, programs and people write them, and says which of them cannot be meant."""

import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

FIRST_PHOTOGRAPH_YEAR = 1826  # Niépce, View from the Window at Le Gras

# The year comes first in every form: 05/06/2024 is two days, depending on who reads it.
_DATE = re.compile(
    r"(\d{4})[-:/.]?(\d\d)[-:/.]?(\d\d)"
    r"(?:[T ]\s*(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?\s*(?:Z|([+-]\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)


class Implausible(NamedTuple):
    """Times from `first` to `last`, both included, that no photo was taken or published at, and why."""

    why: str
    first: datetime
    last: datetime


def implausible_times() -> tuple[Implausible, ...]:
    """Returns what cannot be meant: times before photography, the zero of Unix clocks, and the future."""
    photography = datetime(FIRST_PHOTOGRAPH_YEAR, 1, 1, tzinfo=timezone.utc)
    zero = datetime(1970, 1, 1, tzinfo=timezone.utc)
    # Clocks in time zones ahead of UTC that say no offset write up to 14 hours of the future.
    tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
    return (
        Implausible(
            f"before the first photograph of {FIRST_PHOTOGRAPH_YEAR}",
            datetime.min.replace(tzinfo=timezone.utc),
            photography - timedelta(microseconds=1),
        ),
        Implausible("1970-01-01T00:00:00Z, which is what a missing time becomes", zero, zero),
        Implausible("more than a day in the future", tomorrow, datetime.max.replace(tzinfo=timezone.utc)),
    )


def why_implausible(moment: datetime) -> str | None:
    """Returns why a time with an offset cannot be meant; None when it can."""
    return next((rule.why for rule in implausible_times() if rule.first <= moment <= rule.last), None)


def read_date(text: str) -> datetime | None:
    """Returns the UTC time that an EXIF, IPTC or ISO 8601 text names, plausible or not; None when it names none.

    A day without a time is its midnight, a time without an offset is UTC.
    """
    match = _DATE.fullmatch(text.replace("\0", " ").strip())
    if not match:
        return None
    *fields, fraction, hours, minutes = match.groups(default="0")
    year, month, day, hour, minute, second = map(int, fields)
    microsecond = int(fraction[:6].ljust(6, "0"))
    offset = timedelta(hours=int(hours), minutes=int(hours[0] + minutes) if hours[0] in "+-" else 0)
    try:
        moment = datetime(year, month, day, hour, minute, second, microsecond, timezone.utc)
    except ValueError:  # 0000:00:00, the 31st of February
        return None
    try:
        return moment - offset
    except OverflowError:  # Year 1 minus an hour is as implausible as year 1.
        return moment


def parse_date(text: str) -> datetime | None:
    """Returns the UTC time that a text names, as `read_date`; None also when it cannot be meant."""
    moment = read_date(text)
    return None if moment is None or why_implausible(moment) else moment
