"""CONTRACT: the occurrences of one content, which say where an archive holds these bytes and since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_LATEST = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One photo of an archive that holds a content: its name, its place, and when it was published there."""

    photo_id: str
    uri: str
    published_at: datetime | None = None

    @classmethod
    def from_struct(cls, struct: Mapping[str, Any]) -> "Occurrence":
        """Returns the occurrence that an Arrow struct, read as a dict, stands for."""
        return cls(struct["photo_id"], struct["uri"], struct["published_at"])

    def to_struct(self) -> dict[str, Any]:
        """Returns the dict that Arrow writes as a struct."""
        return {"photo_id": self.photo_id, "uri": self.uri, "published_at": self.published_at}

    @property
    def order(self) -> tuple[datetime, str]:
        """What the occurrences of one content are sorted by."""
        return publication_order(self.published_at, self.photo_id)


def occurrence_type() -> "pa.StructType":
    """Returns the Arrow type of one element of the column `occurrences`."""
    import pyarrow as pa

    return pa.struct(
        [
            pa.field("photo_id", pa.string()),
            pa.field("uri", pa.string()),
            pa.field("published_at", pa.timestamp("us", "UTC")),
        ]
    )


def publication_order(published_at: datetime | None, photo_id: str) -> tuple[datetime, str]:
    """Returns what copies of one content are sorted by: first published first, undated last, then by photo_id."""
    return published_at or _LATEST, photo_id


def merge_occurrences(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Returns each uri once, first published first; an archive that was encoded twice adds nothing.

    The first date that is met for a uri stays, and a date takes the place of none: a later run may have had a catalog
    that the earlier one lacked.
    """
    by_uri: dict[str, Occurrence] = {}
    for one in occurrences:
        known = by_uri.get(one.uri)
        if known is None or (known.published_at is None and one.published_at is not None):
            by_uri[one.uri] = one
    return sorted(by_uri.values(), key=lambda one: one.order)


@dataclass(frozen=True)
class FirstSeen:
    """The earliest known date of a content, where, and at how many places it lies.

    `published_at` is the earliest date of a publication: `at` may be a capture time, which anybody can set.
    """

    at: datetime | None
    uri: str
    occurrences: int
    published_at: datetime | None = None


def first_seen(rows: Sequence[Mapping[str, Any]]) -> FirstSeen:
    """Returns the earliest date over all occurrences of one content: published, else captured.

    rows: the content's photo columns in each segment that holds it. Without any date the first row's own uri is named.
    """
    dates: dict[str, datetime | None] = {}
    published = []
    for row in rows:
        for one in map(Occurrence.from_struct, row["occurrences"]):
            # The bytes are the same, and so is the capture time that was read from them.
            date = one.published_at or row["captured_at"]
            published.append(one.published_at)
            dates[one.uri] = min(filter(None, (dates.get(one.uri), date)), default=None)
    dated = sorted((date, uri) for uri, date in dates.items() if date is not None)
    at, uri = dated[0] if dated else (None, rows[0]["uri"])
    return FirstSeen(at, uri, len(dates), min(filter(None, published), default=None))


def merge_first_seen(seen: Sequence[FirstSeen]) -> FirstSeen:
    """Returns when several contents were first seen, as one: the earliest date and its uri, and all places together.

    Without any date the uri of the first content stays.
    """
    first = min(seen, key=lambda one: one.at or _LATEST)
    published = min((one.published_at for one in seen if one.published_at), default=None)
    return FirstSeen(first.at, first.uri, sum(one.occurrences for one in seen), published)
