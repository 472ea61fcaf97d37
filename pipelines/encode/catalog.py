"""Reads what an editor knows of the photos (CSV or Parquet), checks it, and joins it to the inventory by photo_id."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from foundation.csv_tables import HEAD_BYTES, csv_form, encoding_problem, misspelling, plain_name, unclosed_quote
from foundation.errors import InputNotFoundError, UsageError
from foundation.store.run_tables import catalog_fields
from pipelines.encode.catalog_dates import DateProblem, read_dates


class Catalog(NamedTuple):
    """What an editor knows of the photos, one row each, and the dates that had to be left out."""

    rows: pa.Table
    problems: list[DateProblem]


def read_catalog(path: Path) -> Catalog:
    """Returns photo_id, published_at, caption, credit and source of a catalog; missing columns are null.

    Columns of a CSV are separated by commas, semicolons or tabs. Times without an offset are taken as UTC; other
    columns are passed over. Raises InputNotFoundError, or UsageError naming the column or the photo_id that is wrong.
    The whole catalog is held in memory: about 200 bytes per photo.
    """
    if not path.is_file():
        raise InputNotFoundError(f"no catalog at {path}; expected a CSV or Parquet file with a photo_id column")
    fields = [pa.field("photo_id", pa.string()), *catalog_fields()]
    with _told(path):
        table = _read_columns(path, [field.name for field in fields])
    columns = {field.name: _typed(table, field, path) for field in fields}
    _require_unique(columns["photo_id"], path)
    columns["published_at"], problems = read_dates(columns["published_at"], columns["photo_id"], path)
    return Catalog(pa.table(columns, schema=pa.schema(fields)), problems)


def join_catalog(inventory: pa.Table, catalog: pa.Table) -> pa.Table:
    """Returns the inventory, in its order; where the catalog says something of a photo, that counts."""
    rows = pc.index_in(inventory["photo_id"], catalog["photo_id"])
    for field in catalog_fields():
        column = pc.coalesce(catalog[field.name].take(rows), inventory[field.name])
        inventory = inventory.set_column(inventory.schema.get_field_index(field.name), field, column)
    return inventory


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turns errors of Arrow and of the disk into ours."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        _require_utf8(path)
        reason = str(error).splitlines()[0]
        raise InputNotFoundError(f"catalog {path} cannot be read: {reason}; expected CSV or Parquet") from error


def _read_columns(path: Path, wanted: list[str]) -> pa.Table:
    """Returns those of the wanted columns that the catalog has."""
    if _is_parquet(path):
        columns = _columns(parquet.read_schema(path).names, wanted, path)
        table = parquet.read_table(path, columns=list(columns))
    else:
        with path.open("rb") as file:
            form = csv_form(file.read(HEAD_BYTES), wanted)
            file.seek(0)
            if problem := unclosed_quote(file, form.separator):
                raise UsageError(f"catalog {path} {problem}")
        columns = _columns(form.names, wanted, path)
        table = csv.read_csv(path, **form.arrow_options(columns))
    return table.select(list(columns)).rename_columns(list(columns.values()))


def _columns(names: list[str], wanted: list[str], path: Path) -> dict[str, str]:
    """Returns the wanted columns by the names that they have in the file; raises UsageError if these mislead."""
    plain = [plain_name(name) for name in names]
    if "photo_id" not in plain and names:
        _require_utf8(path)
        raise UsageError(f"catalog {path} has the columns {plain}; expected photo_id among them")
    for name in wanted:
        if plain.count(name) > 1:
            raise UsageError(f"catalog {path} has the column {name} more than once; expected it once")
    if problem := misspelling(plain, wanted):
        raise UsageError(f"catalog {path} {problem}")
    return {name: column for name, column in zip(names, plain, strict=True) if column in wanted}


def _require_utf8(path: Path) -> None:
    if _is_parquet(path):
        return
    with path.open("rb") as file:
        if problem := encoding_problem(file, str(path)):
            raise InputNotFoundError(f"catalog {problem}")


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _typed(table: pa.Table, field: pa.Field, path: Path) -> pa.ChunkedArray:
    """Returns a column as text, nulls without it; times stay as they are."""
    if field.name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, field.type)])
    column = table[field.name]
    if pa.types.is_timestamp(field.type) and pa.types.is_temporal(column.type):
        return column
    try:
        return column.cast(pa.string())
    except pa.ArrowException as error:
        raise UsageError(f"catalog {path}, column {field.name}: {str(error).splitlines()[0]}; expected text") from error


def _require_unique(photo_ids: pa.ChunkedArray, path: Path) -> None:
    if nameless := photo_ids.null_count:
        raise UsageError(f"catalog {path} has {nameless} rows without a photo_id; expected one in each row")
    counts = pc.value_counts(photo_ids)
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        name = repeated.field("values")[0].as_py()
        raise UsageError(
            f"catalog {path} has {len(repeated)} photo_ids more than once, {name!r} first; expected one row each"
        )
