"""Lays the publications of a query's copies along a line, from the first one to the last."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from foundation.store.occurrences import Occurrence
from serving.match.claim import claimed_words, noon_of
from serving.output.display import printable
from serving.output.wording import day_words

# Further ones are counted; on the line they would only cover each other.
SHOWN = 60
MIDDLE = 50.0


@dataclass(frozen=True)
class Point:
    """One publication: how far along the line, in percent, its day in words, and what the archive says of it."""

    at: float
    day: str
    photo_id: str
    uri: str
    caption: str
    credit: str


@dataclass(frozen=True)
class TimeLine:
    """The publications, first one first; how many more there are with a date and without one; and the claimed date.

    `first` and `last` are the days at the ends of the line, `claimed` is how far along it that date lies, in percent.
    """

    points: list[Point]
    more: int
    undated: int
    first: str = ""
    last: str = ""
    claimed: float | None = None
    claimed_day: str = ""


def time_line(occurrences: Sequence[Occurrence], claimed: datetime | None = None) -> TimeLine:
    """Returns the line of some occurrences, by their dates of publication."""
    dated = sorted(((one.published_at, one) for one in occurrences if one.published_at), key=lambda one: one[0])
    undated = len(occurrences) - len(dated)
    if not dated:
        return TimeLine([], 0, undated)
    mark = claimed and noon_of(claimed)
    days = [day for day, _ in dated] + ([mark] if mark else [])
    start, end = min(days), max(days)

    def place(day: datetime) -> float:
        return round(100 * ((day - start) / (end - start)), 2) if end > start else MIDDLE

    points = [_point(place(day), day, one) for day, one in dated[:SHOWN]]
    ends = day_words(start), day_words(end)
    at = (place(mark), claimed_words(claimed)) if claimed and mark else (None, "")
    return TimeLine(points, max(len(dated) - SHOWN, 0), undated, *ends, *at)


def _point(at: float, day: datetime, one: Occurrence) -> Point:
    words = map(printable, (one.photo_id, one.uri, one.caption or "", one.credit or ""))
    return Point(at, day_words(day), *words)
