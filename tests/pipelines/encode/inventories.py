"""Writes listings, inventories and outcomes by hand, for tests of what is made of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import parquet

from foundation.store.run_tables import inventory_schema
from pipelines.encode.compare import Comparison, compare
from pipelines.encode.database import open_database
from pipelines.encode.listing import Listing, listing_schema
from pipelines.encode.outcomes import outcome_schema
from pipelines.encode.withdrawn import Withdrawn
from tests.builders import content

LAST_RUN = datetime(2024, 5, 31, 12, tzinfo=timezone.utc)
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)
Row = dict[str, Any]


def listed(name: str, **columns: Any) -> Row:
    """Returns a row of the listing, of a photo that is as it always was."""
    standing = {"photo_id": name, "uri": f"file:///{name}", "size_bytes": 10, "modified_at": LONG_AGO}
    return standing | {"is_given": False} | columns


def known(name: str, of: object = None, **columns: Any) -> Row:
    """Returns a row of an inventory: the photo has the content of that name, its own unless given."""
    row = listed(name, content_sha256=content(of if of is not None else name)) | columns
    return {key: value for key, value in row.items() if key in inventory_schema().names}


def rejected(name: str, reason: str, **columns: Any) -> Row:
    """Returns a row of an inventory: the photo was rejected."""
    return known(name) | {"content_sha256": None, "reason": reason, "detail": "why"} | columns


def outcome(row: Row, *, is_embedded: bool = False) -> Row:
    """Returns a row of outcomes: this is what became of a photo that was read."""
    return row | {"is_embedded": is_embedded}


@contextmanager
def compared(
    folder: Path,
    listing: Sequence[Row],
    previous: Sequence[Row] = (),
    outcomes: Sequence[Row] = (),
    *,
    unlistable: Sequence[str] = (),
    withdrawn: tuple[Sequence[str], Sequence[bytes]] = ((), ()),
    restored: Sequence[bytes] = (),
    **settings: Any,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Comparison]]:
    """Yields the database with the tables of a comparison, and what it came to."""
    rows = [{"position": position, **row} for position, row in enumerate(listing)]
    paths = {name: folder / f"{name}.parquet" for name in ("listing", "previous", "outcomes")}
    for path, table, schema in (
        (paths["listing"], rows, listing_schema()),
        (paths["previous"], previous, inventory_schema()),
        (paths["outcomes"], outcomes, outcome_schema()),
    ):
        parquet.write_table(pa.Table.from_pylist(list(table), schema=schema), path)
    with open_database(folder) as database:
        comparison = compare(
            database,
            Listing(paths["listing"], photos=len(rows), unlistable=list(unlistable)),
            previous=[paths["previous"]] if previous else [],
            outcomes=[paths["outcomes"]] if outcomes else [],
            withdrawn=Withdrawn(*map(list, withdrawn), list(restored)),
            **{"check": "stat", "previous_at": LAST_RUN if previous else None, **settings},
        )
        yield database, comparison
