"""Compares a listing with how the archive stood: which photos have to be read, and what of the others is known.

A photo is taken for unchanged if its place, its size and its etag, or without one its time, are those of the last run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from foundation.errors import TemporaryError, UsageError
from foundation.store.run_tables import inventory_schema, listing_fields
from pipelines.encode.database import add_table, count, query_named, rows_of, write_query
from pipelines.encode.listing import Listing, listing_schema
from pipelines.encode.outcomes import outcome_schema
from pipelines.encode.withdrawn import Withdrawn

Check = Literal["stat", "hash"]
# File systems keep times to the second or two: a photo that was written while the last run began may have been written
# once more within the same second, and looks as if it had not changed.
TIME_RESOLUTION = timedelta(seconds=2)
# A listing that lost more than this share is more likely a disk that is not mounted than an archive that was emptied.
MOST_REMOVED = 0.5
# Archives of some photos may lose any share of them.
FEW_REMOVED = 20
# If more than this share of the photos to read cannot be read, it is the archive that went while it was encoded.
MOST_UNREADABLE = 0.5
FEW_UNREADABLE = 20


def work_schema() -> pa.Schema:
    """Returns the columns of the photos that are to be read: those of the listing."""
    return pa.schema([pa.field("position", pa.int64(), nullable=False), *listing_fields()])


def superseded_schema() -> pa.Schema:
    """Returns the columns of contents that older runs say of photos beside those of the inventory: they are gone."""
    return pa.schema([("content_sha256", pa.binary(32)), ("photo_id", pa.string()), ("uri", pa.string())])


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How a listing differs from how the archive stood: photos by what has to be done with them.

    `known` photos could be found after the last run. `read` have to be read; `done` were read by an attempt that did
    not come to its end. `updated` are those of the `unchanged` with other dates or words, `retracted` those that were
    withdrawn since.
    """

    known: int = 0
    listed: int = 0
    read: int = 0
    done: int = 0
    unchanged: int = 0
    updated: int = 0
    removed: int = 0
    retracted: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether the archive is just as it was."""
        return not (self.read or self.done or self.updated or self.removed or self.retracted)


def compare(
    database: duckdb.DuckDBPyConnection,
    listing: Listing,
    *,
    previous: list[Path],
    outcomes: list[Path],
    check: Check | Literal["none"],
    previous_at: datetime | None,
    withdrawn: Withdrawn,
    lost: Sequence[bytes] = (),
    words: Sequence[Path] = (),
    retried: Sequence[str] = (),
    is_last: bool = False,
) -> Comparison:
    """Makes the tables `compared` and `state` of the database: one row per listed photo, with its fate.

    `previous` is the inventory after the last run, which began at `previous_at`, and perhaps a file of more contents
    that older runs say of its photos; `outcomes` are what unfinished attempts of this run came to. `lost` are contents
    (32 bytes each) that nothing holds any more, `retried` photos to read again. With the check `none` all others that
    were known are taken for unchanged. At the last look, what could not be read counts as read.
    """
    add_table(database, "listed", [listing.path], listing_schema())
    add_table(database, "previous", previous[:1], inventory_schema())
    add_table(database, "superseded", previous[1:], superseded_schema())
    add_table(database, "words", words[:1], inventory_schema())
    add_table(database, "outcomes", outcomes, outcome_schema())
    _register(database, "withdrawn_photos", withdrawn.photo_ids, pa.string())
    _register(database, "withdrawn_contents", withdrawn.contents, pa.binary())
    # What was withdrawn once more, by another entry, stays withdrawn.
    restored = set(withdrawn.restored) - set(withdrawn.contents)
    _register(database, "withdrawn_restored", sorted(restored), pa.binary())
    _register(database, "lost_contents", sorted(restored | set(lost) - set(withdrawn.contents)), pa.binary())
    _register(database, "unlistable", listing.unlistable, pa.string())
    _register(database, "retried", retried, pa.string())
    settled = previous_at - TIME_RESOLUTION if previous_at else None
    rows_of(database, query_named("given"))
    rows_of(database, query_named("compared"), {"check": check, "settled": settled, "is_last": is_last})
    fates = dict(rows_of(database, "SELECT fate, count(*) FROM compared GROUP BY fate"))
    rows_of(database, query_named("state"))
    return Comparison(
        known=count(database, "SELECT count(*) FROM previous WHERE content_sha256 IS NOT NULL"),
        listed=sum(fates.values()),
        read=fates.get("read", 0),
        done=fates.get("done", 0),
        unchanged=fates.get("unchanged", 0),
        updated=count(database, "SELECT count(*) FROM state WHERE is_updated"),
        removed=len(database.sql(query_named("removed"))),
        retracted=count(
            database,
            "SELECT count(*) FROM compared WHERE fate = 'retracted' AND reason IS DISTINCT FROM 'retracted'",
        ),
    )


def write_work(database: duckdb.DuckDBPyConnection, path: Path, *, chunk_photos: int) -> int:
    """Writes the photos to read, in the order of the listing, a row group for each chunk; returns the chunks."""
    query = "SELECT * FROM compared WHERE fate = 'read' ORDER BY position"
    photos = write_query(database, query, path, work_schema(), rows_per_group=chunk_photos)
    return -(-photos // chunk_photos)


def require_no_shrinking(comparison: Comparison, archive: str, *, allow: bool) -> None:
    """Raises UsageError if most of the photos that were known are listed no more, unless that is allowed."""
    if not allow and comparison.removed > max(FEW_REMOVED, MOST_REMOVED * comparison.known):
        raise UsageError(
            f"archive {archive} lists {comparison.listed:,} photos, and of the {comparison.known:,} that it had "
            f"{comparison.removed:,} are gone; expected at most {MOST_REMOVED:.0%} to go at once: see that all of it "
            "can be read, or allow it with --allow-shrink"
        )


def require_readable(database: duckdb.DuckDBPyConnection, archive: str, folder: Path | None = None) -> None:
    """Raises TemporaryError if most of the photos to read could not be: then it is the archive that went.

    So it is, however few they are, if the folder that was listed is gone or has nothing in it any more.
    """
    read = count(database, "SELECT count(*) FROM compared WHERE fate = 'done'")
    failed = count(database, "SELECT count(*) FROM compared WHERE fate = 'done' AND reason = 'unreadable'")
    if failed > max(FEW_UNREADABLE, MOST_UNREADABLE * read) or (failed and folder and _is_gone(folder)):
        raise TemporaryError(
            f"{failed:,} of the {read:,} photos of {archive} that were to be read cannot be read any more; see that it "
            "is there, and run again: nothing is taken for removed, and what is encoded is not done again"
        )


def _is_gone(folder: Path) -> bool:
    return not folder.is_dir() or next(folder.iterdir(), None) is None


def _register(database: duckdb.DuckDBPyConnection, name: str, values: Sequence[object], kind: pa.DataType) -> None:
    database.register(name, pa.table({"value": pa.array(list(values), kind)}))
