"""`foundation.photos.dates`: one moment in many notations, and times that cannot be meant."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.photos.dates import implausible_times, parse_date, read_date, why_implausible

NOON = datetime(2019, 5, 4, 12, 0, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "text",
    [
        "2019:05:04 12:00:01",
        "2019:05:04 12:00:01\0",
        "2019:05:04 14:00:01+02:00",
        "2019:05:04 14:00:01+02",
        "2019:05:04 08:30:01-03:30",
        "2019-05-04T12:00:01Z",
        "2019-05-04T17:30:01+05:30",
        "20190504T120001",
        "20190504T130001+0100",
    ],
)
def test_dates_of_every_notation_are_utc(text):
    """EXIF, ISO 8601 and IPTC notations of one moment agree, and a time without an offset is UTC."""
    assert parse_date(text) == NOON


def test_a_day_is_its_midnight():
    """A date without a time is taken as midnight, and a time may lack its minutes or seconds."""
    assert parse_date("2019-05-04") == parse_date("2019/05/04") == NOON.replace(hour=0, second=0)
    assert parse_date("2019-05-04T12:00") == parse_date("2019-05-04 12Z") == NOON.replace(second=0)


@pytest.mark.parametrize(("text", "microseconds"), [("25", 250_000), ("000001", 1), ("1234567", 123_456)])
def test_fractions_are_cut_to_microseconds(text, microseconds):
    """Programs write from tenths to nanoseconds."""
    assert parse_date(f"2019-05-04T12:00:01.{text}Z") == NOON.replace(microsecond=microseconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "    :  :     :  :  ",
        "0000:00:00 00:00:00",
        "2019:02:30 12:00:00",
        "2019:05:04 25:00:00",
        "2019",
        "04.05.2019",
        "5/4/2019",
        "1717156800",
        "yesterday",
        "２019:05:04 12:00:01",
        "2019:05:04 12:00:01 PM",
    ],
)
def test_what_names_no_time_is_none(text):
    """Zeros, days that do not exist, forms that could mean two days, and prose are no dates."""
    assert read_date(text) is parse_date(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0001-01-01", "before the first photograph"),
        ("0001:01:01 00:00:00+10:00", "before the first photograph"),
        ("1825:12:31 23:59:59", "before the first photograph"),
        ("1970-01-01", "a missing time"),
        ("1970-01-01T01:00:00+01:00", "a missing time"),
        ("2999-01-01", "in the future"),
        ("9999:12:31 23:59:59", "in the future"),
    ],
)
def test_what_cannot_be_meant_says_why(text, why):
    """Years before photography, the zero of Unix clocks and the future are read, and judged."""
    moment = read_date(text)
    assert moment is not None
    assert why in why_implausible(moment)
    assert parse_date(text) is None


@pytest.mark.parametrize("text", ["1826-01-01", "1970-01-01T00:00:01", "1969-12-31T23:59:59"])
def test_times_beside_those_are_believed(text):
    """The borders belong to what is plausible."""
    assert parse_date(text) is not None


def test_a_clock_slightly_ahead_is_believed():
    """Cameras in time zones ahead of UTC write hours of the future; a week of it is a wrong clock."""
    now = datetime.now(timezone.utc)
    assert parse_date((now + timedelta(hours=14)).strftime("%Y:%m:%d %H:%M:%S")) is not None
    assert parse_date((now + timedelta(days=7)).strftime("%Y:%m:%d %H:%M:%S")) is None


@given(st.datetimes(timezones=st.just(timezone.utc)))
def test_each_time_is_implausible_for_one_reason_at_most(moment):
    """The ranges do not overlap, so that counts by reason add up."""
    assert sum(rule.first <= moment <= rule.last for rule in implausible_times()) == bool(why_implausible(moment))
