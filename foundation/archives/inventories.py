"""Lists the photos that a ready inventory names: a CSV or Parquet file with a `uri` or `path` of each.

Columns: `uri` (percent-encoded, on local disk or in a bucket) or `path` (as it is, from the folder of the inventory);
`photo_id`, or else the uri or path is it; `size_bytes`, `etag`, `modified_at`, by which a change is noticed;
`published_at`, `caption`, `credit`, `source`, which count as those of a catalog do.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from foundation.archives import places
from foundation.archives.photos import Entry
from foundation.archives.uris import SCHEME, beside, is_in_bucket, shown
from foundation.csv_tables import HEAD_BYTES, csv_form, encoding_problem, misspelling, plain_name, unclosed_quote
from foundation.date_columns import UNREADABLE, implausible, is_of_another_form, read_times
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos.metadata import GivenMetadata

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".csv"
PLACES = ("uri", "path")
GIVEN = ("published_at", "caption", "credit", "source")
COLUMNS = (*PLACES, "photo_id", "size_bytes", "etag", "modified_at", *GIVEN)
# Photos that are held at a time, about a kilobyte each.
ROWS_PER_READ = 4_096
Tables = Callable[[], Iterable["pa.Table"]]


def is_inventory(names: Iterable[str]) -> bool:
    """Returns whether a file with these columns names photos that lie elsewhere."""
    return any(plain_name(name) in PLACES for name in names)


def known_columns(names: Iterable[str], file: str) -> dict[str, str]:
    """Returns the columns of an inventory by their names in the file.

    Raises UsageError if one comes twice, or is nearly one that says something of the photos.
    """
    names = list(names)
    columns = {name: plain_name(name) for name in names if plain_name(name) in COLUMNS}
    repeated = [name for name, count in Counter(columns.values()).items() if count > 1]
    if repeated:
        raise UsageError(f"inventory {file} has the column {repeated[0]} more than once; expected it once")
    plain = [plain_name(name) for name in names]
    # A desk may keep paths of its own beside the uri: those are not asked after.
    if problem := misspelling(plain, [name for name in COLUMNS if name in plain or name not in PLACES]):
        raise UsageError(f"inventory {file} {problem}")
    return columns


def list_csv(inventory: Entry, left_out: Counter[str]) -> Iterator[Entry]:
    """Yields the photos that a CSV names; raises InputNotFoundError or UsageError, see `list_rows`."""
    from pyarrow import csv

    state, name = places.look_up(inventory.uri), shown(inventory.uri)

    def tables() -> Iterator["pa.Table"]:
        with _told(inventory.uri), places.open_file(state) as opened:
            form = csv_form(opened.read(HEAD_BYTES), COLUMNS)
            opened.seek(0)
            if not is_inventory(form.names):
                _require_utf8(opened, name)
                raise UsageError(
                    f"{name} has the columns {form.names}; expected uri or path among them: a catalog goes to --catalog"
                )
            columns = known_columns(form.names, name)
            opened.seek(0)
            if problem := unclosed_quote(opened, form.separator):
                raise UsageError(f"inventory {name} {problem}")
            opened.seek(0)
            for batch in csv.open_csv(opened, **form.arrow_options(columns)):
                yield table_of(batch, columns)

    return list_rows(inventory.uri, tables, left_out)


@contextmanager
def _told(uri: str) -> Iterator[None]:
    """Turns errors of Arrow and of the disk into ours."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        with places.open_file(places.look_up(uri)) as opened:
            _require_utf8(opened, shown(uri))
        reason = str(error).splitlines()[0]
        raise InputNotFoundError(f"inventory {shown(uri)} cannot be read: {reason}; expected CSV") from error


def _require_utf8(opened: BinaryIO, name: str) -> None:
    opened.seek(0)
    if problem := encoding_problem(opened, name):
        raise InputNotFoundError(f"inventory {problem}")


def table_of(batch: "pa.RecordBatch", columns: dict[str, str]) -> "pa.Table":
    """Returns the columns of a batch by the names that an inventory gives them."""
    import pyarrow as pa

    return pa.Table.from_batches([batch]).select(list(columns)).rename_columns(list(columns.values()))


def list_rows(inventory: str, tables: Tables, left_out: Counter[str]) -> Iterator[Entry]:
    """Yields the photos that the rows of the tables name; `inventory` is the URI of the file that they are from.

    A `published_at` that cannot be meant is left out, and counted in `left_out` by its reason. Raises UsageError on a
    row without a place, a place that is not read, a photo_id that comes twice, and dates in another form.
    """
    rows = _Rows(inventory, left_out)
    for table in tables():
        yield from rows.entries(table)
    rows.require_readable_dates()
    if suspects := rows.repeated_hashes():
        rows.require_unique(tables(), suspects)


class _Rows:
    """The rows of an inventory, one table after the other."""

    def __init__(self, inventory: str, left_out: Counter[str]):
        self._inventory, self._left_out = inventory, left_out
        self._count = self._dated = self._unreadable = 0
        # Ten million photo_ids would take a gigabyte, their hashes take 80 MB.
        self._hashes = array("q")

    def entries(self, table: "pa.Table") -> Iterator[Entry]:
        """Yields the photos of one table."""
        columns = {name: self._values(table, name) for name in table.column_names}
        gives = any(name in columns for name in GIVEN)
        for values in zip(*columns.values(), strict=True):
            self._count += 1
            row = dict(zip(columns, values, strict=True))
            yield self._entry(row, GivenMetadata(**{name: row.get(name) for name in GIVEN}) if gives else None)

    def _entry(self, row: dict[str, Any], given: GivenMetadata | None) -> Entry:
        place = row.get("uri") or row.get("path")
        photo_id = row.get("photo_id", place)
        if not place or not photo_id:
            missing = "uri or path" if not place else "photo_id"
            raise UsageError(f"{self._name} has no {missing} in row {self._count:,}; expected one in each row")
        self._hashes.append(hash(photo_id))
        size_bytes = row.get("size_bytes")
        return Entry(
            photo_id,
            self._uri(place),
            -1 if size_bytes is None else size_bytes,
            row.get("modified_at"),
            row.get("etag"),
            given=given,
        )

    @property
    def _name(self) -> str:
        return f"inventory {shown(self._inventory)}"

    def _uri(self, place: str) -> str:
        """Returns the URI that a row names: a text with a scheme is one, in whichever column; anything else a path."""
        if "://" in place:
            # `file://host/…` would be a path relative to wherever the program was started.
            if place.startswith(SCHEME + "/") or is_in_bucket(place):
                return place
        elif ".." not in place.split("/"):
            return beside(self._inventory, place)
        raise UsageError(
            f"{self._name} names {place[:200]!r} in row {self._count:,}; expected file:///…, s3://… or gs://… as uri, "
            "or a path below the folder of the inventory"
        )

    def _values(self, table: "pa.Table", name: str) -> list:
        """Returns a column as Python's own values; raises UsageError on a column of another type."""
        import pyarrow as pa

        column = table[name]
        try:
            if name == "published_at":
                return self._published(column)
            if name == "modified_at":
                return read_times(column).to_pylist()
            return column.cast(pa.int64() if name == "size_bytes" else pa.string()).to_pylist()
        except pa.ArrowException as error:
            problem = str(error).splitlines()[0]
            raise UsageError(f"{self._name}, column {name}, behind row {self._count:,}: {problem}; mend it") from error

    def _published(self, column: "pa.ChunkedArray") -> list:
        import pyarrow.compute as pc

        times = read_times(column)
        dated, read = len(column) - column.null_count, len(times) - times.null_count
        self._dated += dated
        self._unreadable += dated - read
        bad_rows = {UNREADABLE: pc.and_(pc.is_valid(column), pc.is_null(times)), **implausible(times)}
        for why, bad in bad_rows.items():
            if count := pc.sum(bad).as_py():
                self._left_out[f"dates of the inventory ({why})"] += count
                times = pc.if_else(bad, None, times)
        return times.to_pylist()

    def require_readable_dates(self) -> None:
        """Raises UsageError if so many dates cannot be read that the column must be in another form."""
        if is_of_another_form(self._unreadable, self._dated):
            raise UsageError(
                f"{self._name}, column published_at: {self._unreadable:,} of {self._dated:,} dates cannot be read; "
                "expected times like 2024-05-31 or 2024-05-31T12:00:00Z"
            )

    def repeated_hashes(self) -> set[int]:
        """Returns the hashes of photo_ids that more than one row has."""
        hashes = np.sort(np.frombuffer(self._hashes, np.int64))
        return set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())

    def require_unique(self, tables: Iterable["pa.Table"], suspects: set[int]) -> None:
        """Raises UsageError naming a photo_id that comes twice; two photo_ids may have one hash by chance."""
        seen = set()
        for table in tables:
            for row in _Rows(self._inventory, Counter()).entries(table):
                if hash(row.photo_id) in suspects:
                    if row.photo_id in seen:
                        raise UsageError(f"{self._name} has the photo_id {row.photo_id!r} twice; expected one row each")
                    seen.add(row.photo_id)
