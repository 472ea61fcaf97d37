"""Reads what an editor knows of the photos (CSV or Parquet), checks it, and joins it to the inventory by photo_id."""

import difflib
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from foundation.errors import InputNotFoundError, UsageError
from foundation.store.runs import catalog_fields

# Shares of letters in common from which one name is taken for a misspelling of another: `publishd_at` and
# `published` are, `publisher` and `photographer` are columns of their own.
LIKENESS = 0.85
# What a Python datetime can hold: the years 1 to 9999, in microseconds since 1970.
FIRST_MICROSECOND, LAST_MICROSECOND = -62_135_596_800_000_000, 253_402_300_799_999_999


def read_catalog(path: Path) -> pa.Table:
    """Returns photo_id, published_at, caption, credit and source of a catalog; missing columns are null.

    Times without an offset are taken as UTC; other columns are passed over. Raises InputNotFoundError, or UsageError
    naming the column or the photo_id that is wrong. The whole catalog is held in memory: about 200 bytes per photo.
    """
    table = _read_table(path)
    table = table.rename_columns([name.strip().lower() for name in table.column_names])
    if "photo_id" not in table.column_names:
        raise UsageError(f"catalog {path} has the columns {table.column_names}; expected photo_id among them")
    fields = [pa.field("photo_id", pa.string()), *catalog_fields()]
    for field in fields:
        if table.column_names.count(field.name) > 1:
            raise UsageError(f"catalog {path} has the column {field.name} more than once; expected it once")
    _require_no_misspelling(table.column_names, [field.name for field in fields], path)
    columns = [_typed(table, field, path) for field in fields]
    catalog = pa.Table.from_arrays(columns, schema=pa.schema(fields))
    _check_unique(catalog, path)
    return catalog


def join_catalog(inventory: pa.Table, catalog: pa.Table) -> pa.Table:
    """Returns the inventory, in its order, with the catalog's columns filled in where the photo_id is known."""
    rows = pc.index_in(inventory["photo_id"], catalog["photo_id"])
    for field in catalog_fields():
        column = catalog[field.name].take(rows)
        inventory = inventory.set_column(inventory.schema.get_field_index(field.name), field, column)
    return inventory


def _read_table(path: Path) -> pa.Table:
    if not path.is_file():
        raise InputNotFoundError(f"no catalog at {path}; expected a CSV or Parquet file with a photo_id column")
    try:
        if path.suffix.lower() == ".parquet":
            return parquet.read_table(path)
        # Captions span lines, a photo_id such as 0012 must not turn into a number, nor the words NA or nan into null.
        texts = {field.name: pa.string() for field in catalog_fields()} | {"photo_id": pa.string()}
        convert = csv.ConvertOptions(
            column_types=texts,
            null_values=["", "NULL"],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )
        return csv.read_csv(path, parse_options=csv.ParseOptions(newlines_in_values=True), convert_options=convert)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputNotFoundError(f"catalog {path} cannot be read: {reason}; expected CSV or Parquet") from error


def _require_no_misspelling(found: list[str], expected: list[str], path: Path) -> None:
    """Raises UsageError if a column is nearly one that is missing: passed over, its dates or captions would be lost.

    Columns that resemble none are the desk's own, and are no affair of ours.
    """
    missing = [name for name in expected if name not in found]
    for name in found:
        nearest = difflib.get_close_matches(_letters(name), map(_letters, missing), n=1, cutoff=LIKENESS)
        if name not in expected and nearest:
            meant = next(one for one in missing if _letters(one) == nearest[0])
            raise UsageError(f"catalog {path} has a column {name!r}; expected {meant}: rename it, or leave it out")


def _letters(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum())


def _typed(table: pa.Table, field: pa.Field, path: Path) -> pa.ChunkedArray:
    if field.name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, field.type)])
    column = table[field.name]
    try:
        if pa.types.is_timestamp(field.type) and not pa.types.is_temporal(column.type):
            column = _parse_times(column.cast(pa.string()))
        elif pa.types.is_timestamp(column.type) and column.type.tz is None:
            column = pc.assume_timezone(column, "UTC")
        # Times come in nanoseconds too, and are cut to microseconds.
        typed = column.cast(field.type, safe=not pa.types.is_timestamp(column.type))
    except (pa.ArrowException, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"catalog {path}, column {field.name}: {reason}; expected "
            + ("times like 2024-05-31 or 2024-05-31T12:00:00Z" if field.name == "published_at" else "text")
        ) from error
    if pa.types.is_timestamp(field.type):
        _require_years(typed, path)
    return typed


def _require_years(times: pa.ChunkedArray, path: Path) -> None:
    extremes = pc.min_max(times.cast(pa.int64()))
    earliest, latest = extremes["min"].as_py(), extremes["max"].as_py()
    if earliest is not None and not FIRST_MICROSECOND <= earliest <= latest <= LAST_MICROSECOND:
        raise UsageError(f"catalog {path}, column published_at has a time outside of the years 1 to 9999; mend it")


def _parse_times(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    # Arrow parses times with and without an offset as two types, and a column may mix them.
    has_offset = pc.match_substring_regex(texts, r"T?\d\d:\d\d.*(Z|[+-]\d\d:?\d\d)$")
    plain = pc.if_else(has_offset, pa.scalar(None, pa.string()), texts)
    with_offset = pc.if_else(has_offset, texts, pa.scalar(None, pa.string()))
    local = pc.assume_timezone(plain.cast(pa.timestamp("us")), "UTC")
    return pc.coalesce(with_offset.cast(pa.timestamp("us", "UTC")), local)


def _check_unique(catalog: pa.Table, path: Path) -> None:
    if nameless := catalog["photo_id"].null_count:
        raise UsageError(f"catalog {path} has {nameless} rows without a photo_id; expected one in each row")
    counts = pc.value_counts(catalog["photo_id"])
    repeated = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(repeated):
        name = repeated.field("values")[0].as_py()
        raise UsageError(
            f"catalog {path} has {len(repeated)} photo_ids more than once, {name!r} first; expected one row each"
        )
