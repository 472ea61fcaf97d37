"""Names the formats of answers, chooses one by the name of a file, and writes in any of them."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO
from urllib.parse import quote

from foundation.archives.archive import read as read_photo
from foundation.checks import require_choice
from foundation.errors import UsageError
from serving.answers import Answer
from serving.output.csv_file import write_csv
from serving.output.destination import open_binary, open_text
from serving.output.json_file import write_json, write_json_lines
from serving.output.parquet_file import write_parquet
from serving.output.stored import StoredPictures
from serving.output.table import write_table

FORMATS = ("table", "json", "jsonl", "csv", "parquet", "html")
FILE_ONLY = ("parquet", "html")
# How the name of a file with a table ends.
TABLE_ENDINGS = ("", "txt")
TITLE = "Have we seen these photos before?"


def format_of(output: Path | None) -> str:
    """Returns the format that a file name asks for: its ending, or a table; raises UsageError for another ending."""
    ending = output.suffix.lower().removeprefix(".") if output else ""
    if ending in TABLE_ENDINGS:
        return FORMATS[0]
    if ending not in FORMATS:
        raise UsageError(
            f"--output is {str(output)!r}; expected a name that ends in .txt, .{', .'.join(FORMATS[1:])}, or --format "
            "with it"
        )
    return ending


def check_format(name: str, output: Path | None) -> None:
    """Raises UsageError on an unknown format, or on one without a file that nobody could read in a terminal."""
    require_choice("--format", name, FORMATS)
    if output is None and name in FILE_ONLY:
        raise UsageError(f"--format {name} goes to a file; add --output FILE")


def write_answers(
    answers: Iterable[list[Answer]],
    *,
    name: str,
    output: Path | None,
    read: Callable[[str], bytes] = read_photo,
    stored: StoredPictures | None = None,
    title: str = TITLE,
    facts: str = "",
    decoded: Path | None = None,
    evidence: Path | None = None,
) -> None:
    """Writes the answers, one list per query, to `output` or to standard output, in bounded memory.

    A file takes its name only when everything is written; pages are several files. `read`, `stored`, `title`, `facts`
    and the folders `decoded` and `evidence` are what a page shows beside the answers: see `write_pages`. Raises
    UsageError as `check_format` does, OSError with the name of the output where it cannot be written.
    """
    check_format(name, output)
    if name == "parquet" and output:
        with open_binary(output) as binary:
            write_parquet(answers, binary)
        return
    if name == "html" and output:
        # Templates and pictures take longer to load than a table to write.
        from serving.output.page import Beside, write_pages

        address = _address(evidence, output)
        beside = Beside(read=read, stored=stored or StoredPictures(), decoded=decoded, evidence=address)
        write_pages(answers, output, title=title, facts=facts, beside=beside)
        return
    writers: dict[str, Callable[[Iterable[list[Answer]], IO[str]], None]] = {
        "table": write_table,
        "json": write_json,
        "jsonl": write_json_lines,
        "csv": write_csv,
    }
    with open_text(output, for_people=name == "table") as file:
        writers[name](answers, file)


def _address(folder: Path | None, page: Path) -> str | None:
    """Returns the folder as a page links to it: both may be moved together, or copied to another machine."""
    return quote(os.fsencode(os.path.relpath(folder, page.parent))) if folder else None
