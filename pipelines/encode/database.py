"""Opens the database that inventories are compared in: tables of millions of rows, joined in bounded memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pyarrow import dataset, parquet

QUERIES = Path(__file__).parent / "queries"
# A join that needs more goes on in files of the temporary folder.
MEMORY = "1GB"
# The index reads changes by content, other readers inventories by photo: neither needs a whole file for some rows.
ROWS_PER_GROUP = 65_536


@contextmanager
def open_database(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields an empty database in memory, which spills into a folder; it loads nothing from a network."""
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY,
        "temp_directory": str(folder / "spilled"),
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    database = duckdb.connect(":memory:", config=settings)
    try:
        # Otherwise times are understood in the zone of the machine.
        rows_of(database, "SET TimeZone = 'UTC'")
        yield database
    finally:
        database.close()


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
