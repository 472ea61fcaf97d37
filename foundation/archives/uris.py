"""Turns local paths and keys of buckets into URIs and back: any name survives, and any place inside a file has one."""

import os
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

SCHEME = "file://"
BUCKET_SCHEMES = ("s3://", "gs://")


def uri_of(path: Path, *, part: str = "") -> str:
    """Returns the absolute `file://` URI of a path, percent-encoded: names that are not UTF-8 survive.

    `part` names a photo inside a file of many: it follows a `#`, which a file name has only as `%23`.
    """
    return with_part(SCHEME + _quoted(path.absolute()), part)


def with_part(uri: str, part: str) -> str:
    """Returns the URI of a photo inside the file at `uri`; that of the file itself without a part."""
    return uri + (f"#{_quoted(part)}" if part else "")


def bucket_uri(bucket: str, key: str) -> str:
    """Returns the URI of an object: `bucket` is `s3://NAME` or `gs://NAME`, and the key is percent-encoded."""
    return f"{bucket}/{_quoted(key)}"


def beside(uri: str, path: str) -> str:
    """Returns the URI of a path that begins in the folder of the file at `uri`; an absolute one is on local disk."""
    return SCHEME + _quoted(path) if path.startswith("/") else f"{split(uri)[0].rpartition('/')[0]}/{_quoted(path)}"


def is_in_bucket(uri: str) -> bool:
    """Returns whether a URI lies on object storage."""
    return uri.startswith(BUCKET_SCHEMES)


def bucket_and_key(uri: str) -> tuple[str, str]:
    """Returns (`s3://NAME` or `gs://NAME`, key) of the URI of an object, without the part behind `#`."""
    scheme, _, rest = split(uri)[0].partition("://")
    bucket, _, key = rest.partition("/")
    return f"{scheme}://{bucket}", _unquoted(key)


def path_of(uri: str) -> Path:
    """Returns the local path of a `file://` URI without the part behind `#`, or of a plain path as it is."""
    return Path(_unquoted(split(uri)[0].removeprefix(SCHEME))) if uri.startswith(SCHEME) else Path(uri)


def split(uri: str) -> tuple[str, str]:
    """Returns (URI of the file, name of the part inside it): the part is empty for a file that is itself a photo."""
    container, _, part = uri.partition("#") if uri.startswith((SCHEME, *BUCKET_SCHEMES)) else (uri, "", "")
    return container, _unquoted(part)


def printable_path(path: Path | str) -> str:
    """Returns a file name as text: one that is not UTF-8 cannot be written to JSON, Parquet or a terminal as it is."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def shown(uri: str) -> str:
    """Returns how an error names a file: its path on local disk, its URI in a bucket."""
    return uri if is_in_bucket(uri) else printable_path(path_of(uri))


# Python decodes file names with surrogate escapes: `os.fsencode` gives back the bytes that the disk holds.
def _quoted(name: Path | str) -> str:
    return quote_from_bytes(os.fsencode(name))


def _unquoted(text: str) -> str:
    return os.fsdecode(unquote_to_bytes(text))
