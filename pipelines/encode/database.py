"""Opens the database that inventories are compared in: tables of millions of rows, joined in bounded memory."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import dataset, parquet

from foundation.errors import NO_SPACE, TemporaryError

QUERIES = Path(__file__).parent / "queries"
# A join that needs more goes on in files of the temporary folder.
MEMORY = "1GB"
# The index reads changes by content, other readers inventories by photo: neither needs a whole file for some rows.
ROWS_PER_GROUP = 65_536


@contextmanager
def open_database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields an empty database in a file below a folder, which goes when the block ends; it loads nothing from afar.

    Raises TemporaryError in place of the database's own error where the disk is full.
    """
    with tempfile.TemporaryDirectory(dir=folder) as own:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "temp_directory": f"{own}/spilled",
            # Whoever needs an order asks for it; to keep that of the files would take all of them into memory.
            "preserve_insertion_order": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        # Tables of a database in memory do not leave it: with ten million photos nothing was left for the joins.
        with _naming_full_disk(own), closing(duckdb.connect(f"{own}/tables.duckdb", config=settings)) as database:
            # Otherwise times are understood in the zone of the machine.
            rows_of(database, "SET TimeZone = 'UTC'")
            yield database


@contextmanager
def _naming_full_disk(folder: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        # It names the system's reason in its text alone.
        reason = next((why for why in map(os.strerror, NO_SPACE) if why in str(error)), None)
        if reason:
            raise TemporaryError(f"cannot write below {folder}: {reason}; free some space and run again") from error
        raise


def query_named(name: str) -> str:
    """Returns the text of a query of this package."""
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


def add_table(database: duckdb.DuckDBPyConnection, name: str, paths: Sequence[Path], schema: pa.Schema) -> None:
    """Makes Parquet files readable as one table with the columns of the schema; without files it has no rows.

    They are scanned where they lie. Columns that the files of an older version lack are null.
    """
    # By Arrow and not by the database, which takes a path for a pattern.
    found = dataset.dataset([str(path) for path in paths], schema=schema) if paths else schema.empty_table()
    database.register(name, found)


def write_query(
    database: duckdb.DuckDBPyConnection,
    query: str,
    path: Path,
    schema: pa.Schema,
    *,
    rows_per_group: int = ROWS_PER_GROUP,
) -> int:
    """Writes what a query gives into a Parquet file, in row groups of just so many rows; returns how many there are.

    Some row groups are in memory at a time. `schema` names the columns of the query, and their types.
    """
    written = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in in_groups(database.sql(query).to_arrow_reader(rows_per_group), rows_per_group):
            writer.write_table(table.select(schema.names).cast(schema), row_group_size=rows_per_group)
            written += table.num_rows
    return written


def in_groups(batches: pa.RecordBatchReader, rows: int) -> Iterator[pa.Table]:
    """Yields tables of just so many rows each, the last one of what is left."""
    waiting = batches.schema.empty_table()
    for batch in batches:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        while waiting.num_rows >= rows:
            yield waiting.slice(0, rows)
            waiting = waiting.slice(rows)
    if waiting.num_rows:
        yield waiting


def rows_of(database: duckdb.DuckDBPyConnection, query: str, parameters: dict[str, object] | None = None) -> list[Any]:
    """Returns all rows that a query or a statement gives, a tuple each."""
    # A result that is not fetched to its end keeps the connection from the next query.
    return database.execute(query, parameters or {}).fetchall()


def count(database: duckdb.DuckDBPyConnection, query: str) -> int:
    """Returns the one number that a query gives."""
    ((found,),) = rows_of(database, query)
    return int(found)
