"""Finds out how a table was written: a CSV's separator, columns that are misspelt, and what is not UTF-8."""

import csv
import difflib
import shlex
from collections.abc import Collection
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyarrow.csv import ConvertOptions, ParseOptions

# Spreadsheets write semicolons in countries where the comma separates decimals.
SEPARATORS = ",;\t"
# A header is a line or two; the first block that Arrow reads is larger.
HEAD_BYTES = 2**16
# Shares of letters in common from which one name is taken for a misspelling of another: `publishd_at` and
# `published` are, `publisher` and `photographer` are columns of their own.
LIKENESS = 0.85
_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class CsvForm(NamedTuple):
    """How a CSV was written: the names of its columns as they stand there, and the character between them."""

    names: list[str]
    separator: str

    def arrow_options(self, columns: Collection[str]) -> "dict[str, ParseOptions | ConvertOptions]":
        """Returns what `pyarrow.csv` has to be told to read some columns as text, and no other."""
        from pyarrow import csv as arrow_csv
        from pyarrow import string

        # Captions span lines, a photo_id such as 0012 must not turn into a number, nor the words NA or nan into null.
        return {
            "parse_options": arrow_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True),
            "convert_options": arrow_csv.ConvertOptions(
                include_columns=list(columns),
                column_types=dict.fromkeys(columns, string()),
                null_values=["", "NULL"],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        }


def csv_form(head: bytes, wanted: Collection[str]) -> CsvForm:
    """Returns the form of a CSV by its first `HEAD_BYTES`: the separator that gives most of the wanted columns."""
    # What is not UTF-8 is found when the file is read; until then the names without odd letters do.
    text = head.decode("utf-8-sig", "replace")
    forms = [CsvForm(_first_row(text, separator), separator) for separator in SEPARATORS]
    return max(forms, key=lambda form: len(set(wanted) & set(map(plain_name, form.names))))


def plain_name(name: str) -> str:
    """Returns the name of a column without what people add to it: blanks around it, and capitals."""
    return name.strip().lower()


def unclosed_quote(file: IO[bytes], separator: str) -> str | None:
    """Returns one line on a quote that nothing closes, or None: all rows behind it would be part of one value.

    Arrow reads such a file without a word. Only one with an odd number of quotes is read by Python, which is slow.
    """
    quotes = sum(block.count(b'"') for block in iter(lambda: file.read(2**20), b""))
    if quotes % 2 == 0:
        return None
    file.seek(0)
    lines = (line.decode("utf-8", "replace") for line in file)
    rows, opened = csv.reader(lines, delimiter=separator, strict=True), 1
    try:
        for _ in rows:
            opened = rows.line_num + 1
    except csv.Error as error:
        # The limit is that of a value, 128 KB.
        if "unexpected end" in str(error) or "field limit" in str(error):
            return f"has a quote in the row of line {opened:,} that is never closed; close it, or double it"
    return None


def misspelling(found: Collection[str], expected: Collection[str]) -> str | None:
    """Returns one line on a column that is nearly one that is missing, or None: passed over, its dates would be lost.

    Both are plain names. Columns that resemble none are the desk's own, and are no affair of ours.
    """
    missing = [name for name in expected if name not in found]
    for name in found:
        nearest = difflib.get_close_matches(_letters(name), map(_letters, missing), n=1, cutoff=LIKENESS)
        if name not in expected and nearest:
            meant = next(one for one in missing if _letters(one) == nearest[0])
            return f"has a column {name!r}; expected {meant}: rename it, or leave it out"
    return None


def _letters(name: str) -> str:
    return "".join(letter for letter in name if letter.isalnum())


def encoding_problem(file: IO[bytes], name: str) -> str | None:
    """Returns one line on what a text is that is not UTF-8, where, and how to convert it; None if it is UTF-8."""
    head = file.read(4)
    file.seek(0)
    if encoding := _sixteen_bits(head):
        return f"{name} is {encoding}; expected UTF-8: {_conversion(name, encoding)}"
    position = 0
    for number, line in enumerate(file, 1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            place = f"byte {position + error.start + 1:,}, in line {number:,}"
            conversion = _conversion(name, "WINDOWS-1252")
            return f"{name} is not UTF-8 ({place}); it looks like Latin-1 or Windows-1252: {conversion}"
        position += len(line)
    return None


def _first_row(text: str, separator: str) -> list[str]:
    try:
        return next(csv.reader(text.splitlines(keepends=True), delimiter=separator), [])
    except csv.Error:  # a field of more than 128 KB, or a null byte
        return []


def _sixteen_bits(head: bytes) -> str:
    if head[:2] in _BYTE_ORDER_MARKS:
        return _BYTE_ORDER_MARKS[head[:2]]
    # Names of columns are plain letters, of which every second byte is zero.
    return "UTF-16LE" if head[1:2] == b"\0" else "UTF-16BE" if head[:1] == b"\0" and head[1:2] else ""


def _conversion(name: str, encoding: str) -> str:
    return f"iconv -f {encoding} -t UTF-8 {shlex.quote(name)} > {shlex.quote(name.removesuffix('.csv') + '.utf-8.csv')}"
