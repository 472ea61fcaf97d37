"""Turns local paths into URIs and back, so that any file name survives, and any place inside a file has a name."""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

SCHEME = "file://"


def uri_of(path: Path, *, part: str = "") -> str:
    """Returns the absolute `file://` URI of a path, percent-encoded: names that are not UTF-8 survive.

    `part` names a photo inside a file of many: it follows a `#`, which a file name has only as `%23`.
    """
    return SCHEME + _quoted(path.absolute()) + (f"#{_quoted(part)}" if part else "")


def path_of(uri: str) -> Path:
    """Returns the local path of a `file://` URI without the part behind `#`, or of a plain path as it is."""
    return Path(_unquoted(split(uri)[0].removeprefix(SCHEME))) if uri.startswith(SCHEME) else Path(uri)


def split(uri: str) -> tuple[str, str]:
    """Returns (URI of the file, name of the part inside it): the part is empty for a file that is itself a photo."""
    container, _, part = uri.partition("#") if uri.startswith(SCHEME) else (uri, "", "")
    return container, _unquoted(part)


def printable_path(path: Path | str) -> str:
    """Returns a file name as text: one that is not UTF-8 cannot be written to JSON, Parquet or a terminal as it is."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


# Python decodes file names with surrogate escapes: `os.fsencode` gives back the bytes that the disk holds.
def _quoted(name: Path | str) -> str:
    return quote_from_bytes(os.fsencode(name))


def _unquoted(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))
