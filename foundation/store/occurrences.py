"""CONTRACT: the occurrences of one content, which say where an archive holds these bytes and since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

_LATEST = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One photo of an archive that holds a content: its name, its place, and what an editor knows of it there.

    Of one content, the occurrence with the highest `generation` counts for each photo of an archive: that of the
    later run. With `is_removed` it says that the photo went, or holds another content now. What was written before
    there were generations names no archive.
    """

    photo_id: str
    uri: str
    published_at: datetime | None = None
    captured_at: datetime | None = None
    caption: str | None = None
    credit: str | None = None
    source: str | None = None
    archive: str = ""
    generation: int = 0
    is_removed: bool = False

    @classmethod
    def from_struct(cls, struct: Mapping[str, Any]) -> "Occurrence":
        """Returns the occurrence that an Arrow struct, read as a dict, stands for; older ones have fewer fields."""
        return cls(**{field: struct[field] for field in _FIELDS if field in struct})

    def to_struct(self) -> dict[str, Any]:
        """Returns the dict that Arrow writes as a struct."""
        return {field: getattr(self, field) for field in _FIELDS}

    @property
    def order(self) -> tuple[datetime, str]:
        """What the occurrences of one content are sorted by."""
        return publication_order(self.published_at, self.photo_id)

    @property
    def photo(self) -> tuple[str, str]:
        """What tells one photo from another: its archive and photo_id, or its uri where no archive is named."""
        return (self.archive, self.photo_id) if self.archive else ("", self.uri)


_FIELDS = tuple(field.name for field in fields(Occurrence))


def occurrence_type() -> "pa.StructType":
    """Returns the Arrow type of one element of the column `occurrences`: the fields of Occurrence."""
    import pyarrow as pa

    # Arrow fills a field that a table of an older version lacks with null; a program that writes fills all of them.
    return pa.struct(
        [
            pa.field("photo_id", pa.string()),
            pa.field("uri", pa.string()),
            pa.field("published_at", pa.timestamp("us", "UTC")),
            pa.field("captured_at", pa.timestamp("us", "UTC")),
            pa.field("caption", pa.string()),
            pa.field("credit", pa.string()),
            pa.field("source", pa.string()),
            pa.field("archive", pa.string()),
            pa.field("generation", pa.int64()),
            pa.field("is_removed", pa.bool_()),
        ]
    )


def publication_order(published_at: datetime | None, photo_id: str) -> tuple[datetime, str]:
    """Returns what copies of one content are sorted by: first published first, undated last, then by photo_id."""
    return published_at or _LATEST, photo_id


def latest_occurrences(occurrences: Iterable[Occurrence]) -> list[Occurrence]:
    """Returns, of one content, each photo's latest occurrence, removed ones too; first published first.

    Of several of one generation the last that is met counts: what corrects an occurrence is read after it. One that
    names no archive gives way to any that does at the same uri: its archive was encoded again since.
    """
    met = list(occurrences)
    named = {one.uri for one in met if one.archive}
    latest: dict[tuple[str, str], Occurrence] = {}
    for one in met:
        if not one.archive and one.uri in named:
            continue
        known = latest.get(one.photo)
        if known is None or one.generation >= known.generation:
            latest[one.photo] = one
    # Copies of an archive hold the same names, perhaps undated: whichever segment is read first, one of them is first.
    return sorted(latest.values(), key=lambda one: (*one.order, one.archive, one.uri))


Basis = Literal["published", "captured"]


@dataclass(frozen=True)
class FirstSeen:
    """The earliest known date of a content, where, and at how many places it lies.

    `basis` says whether `at` is a publication or a capture time, which anybody can set; `published_at` is the earliest
    date of a publication.
    """

    at: datetime | None
    uri: str
    occurrences: int
    published_at: datetime | None = None
    basis: Basis | None = None


def first_seen(occurrences: Sequence[Occurrence], captured_at: datetime | None) -> FirstSeen:
    """Returns the earliest date over all occurrences of one content: published, else captured.

    `occurrences` are those that count, at least one; `captured_at` was read from the bytes, and counts for those whose
    sidecar says nothing. Without any date the uri of the first is named.
    """
    published = min((one.published_at for one in occurrences if one.published_at), default=None)
    dates = [one.published_at or one.captured_at or captured_at for one in occurrences]
    dated = [(at, one.uri, one) for at, one in zip(dates, occurrences, strict=True) if at]
    if not dated:
        return FirstSeen(None, occurrences[0].uri, len(occurrences))
    at, uri, first = min(dated, key=lambda one: one[:2])
    return FirstSeen(at, uri, len(occurrences), published, "published" if first.published_at else "captured")


def merge_first_seen(seen: Sequence[FirstSeen]) -> FirstSeen:
    """Returns when several contents were first seen, as one: the earliest date and its uri, and all places together.

    Without any date the uri of the first content stays.
    """
    first = min(seen, key=lambda one: one.at or _LATEST)
    published = min((one.published_at for one in seen if one.published_at), default=None)
    return FirstSeen(first.at, first.uri, sum(one.occurrences for one in seen), published, first.basis)
