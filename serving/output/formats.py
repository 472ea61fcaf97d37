"""Writes answers as a table, JSON, JSON Lines, CSV or Parquet: streamed, and a file appears only when it is whole."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import parquet

from foundation.errors import InputNotFoundError, UsageError
from foundation.files import finished_file
from serving.answers import SCHEMA, Answer

FORMATS = ("table", "json", "jsonl", "csv", "parquet", "html")
FILE_ONLY = ("parquet", "html")
PARQUET_BATCH_ROWS = 4_096
# Columns of a table that goes to a file or a pipe: wide enough that no line is folded.
UNBOUNDED = 10_000


def format_of(output: Path | None) -> str:
    """Returns the format that a file name asks for: its suffix, or a table."""
    suffix = output.suffix.lower().removeprefix(".") if output else ""
    return suffix if suffix in FORMATS else FORMATS[0]


def check_format(name: str, output: Path | None) -> None:
    """Raises UsageError on an unknown format, or on a binary one without a file; InputNotFoundError on a bad folder."""
    if name not in FORMATS:
        raise UsageError(f"format is {name!r}; expected one of {', '.join(FORMATS)}")
    if output is None and name in FILE_ONLY:
        raise UsageError(f"format {name} goes to a file; add --output FILE")
    if output is not None and not output.absolute().parent.is_dir():
        raise InputNotFoundError(f"output folder {output.parent} does not exist; make it first")
    # The file is put in place by renaming: that would replace /dev/null itself.
    if output is not None and output.exists() and not output.is_file():
        raise UsageError(f"output {output} is not a regular file; expected a file name, or no --output for stdout")


def check_output(output: Path, *, store: str, queries: Iterable[str]) -> None:
    """Raises UsageError if writing the answers would replace a file of the store, or a photo that is asked for."""
    target = output.resolve()
    if "://" not in store and target.is_relative_to(Path(store).resolve()):
        raise UsageError(f"output {output} lies in the store, whose files are never replaced; choose another place")
    if target.exists() and any(target.is_relative_to(Path(query).resolve()) for query in queries):
        raise UsageError(f"output {output} exists and is among the queries; choose another name")


def write_answers(answers: Iterable[list[Answer]], *, name: str, output: Path | None) -> None:
    """Writes the answers, one list per query, to `output` or to stdout."""
    if name == "parquet" and output:
        with finished_file(output) as path:
            _write_parquet(answers, path)
        return
    write = {"table": _write_table, "json": _write_json, "jsonl": _write_jsonl, "csv": _write_csv}[name]
    with open_text(output) as file:
        write(answers, file)


@contextmanager
def open_text(output: Path | None) -> Iterator[IO[str]]:
    """Opens stdout, or a file that takes its name only when everything is written."""
    if output is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    with finished_file(output) as path, path.open("w", encoding="utf-8", newline="") as file:
        yield file


def to_json(answer: Answer) -> dict[str, Any]:
    """Returns an answer as JSON types: times are ISO 8601, absent values null, keys as in the contract."""
    row = asdict(answer)
    return {name: _json_value(row[name]) for name in SCHEMA.names}


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return round(value, 6) if isinstance(value, float) else value


def _write_jsonl(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    for one_query in answers:
        for answer in one_query:
            file.write(json.dumps(to_json(answer), ensure_ascii=False) + "\n")


def _write_json(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    separator = "["
    for one_query in answers:
        for answer in one_query:
            file.write(separator + "\n" + json.dumps(to_json(answer), ensure_ascii=False))
            separator = ","
    file.write("[]\n" if separator == "[" else "\n]\n")


def _write_csv(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    # Python before 3.13 leaves a carriage return unquoted, and readers then see two lines: all text is quoted.
    writer = csv.DictWriter(file, SCHEMA.names, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    for one_query in answers:
        writer.writerows(to_json(answer) for answer in one_query)


def _write_parquet(answers: Iterable[list[Answer]], path: Path) -> None:
    rows: list[dict[str, Any]] = []
    with parquet.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for one_query in answers:
            rows += [asdict(answer) for answer in one_query]
            if len(rows) >= PARQUET_BATCH_ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema=SCHEMA))


def _write_table(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(file=file, width=None if file.isatty() else UNBOUNDED)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("query", "rank", "verdict", "score", "photo", "first seen", "copies"):
        numeric, long = name in ("rank", "score", "copies"), name in ("query", "photo")
        # Long names are folded, never cut: all queries of one folder begin alike.
        table.add_column(name, justify="right" if numeric else "left", overflow="fold", no_wrap=not long)
    for one_query in answers:
        for answer in one_query:
            table.add_row(*_table_row(answer))
        table.add_section()
    console.print(table)


def _table_row(answer: Answer) -> list[Any]:
    from rich.text import Text

    name = printable(answer.query) if answer.rank in (None, 1) else ""
    if answer.rank is None:
        return [Text(name), "", Text(answer.status), "", Text(printable(answer.reason or "")), "", ""]
    seen = f"{answer.first_seen_at:%Y-%m-%d}" if answer.first_seen_at else "unknown"
    cells = [str(answer.rank), answer.verdict or "", f"{answer.score:.3f}", printable(answer.photo_id or "")]
    return [Text(cell) for cell in (name, *cells, seen, str(answer.occurrences))]


def printable(text: str) -> str:
    """Returns the text without control characters, which could rewrite a terminal; a file URI is decoded."""
    plain = unquote(text) if text.startswith("file://") else text
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "�" for letter in plain)
