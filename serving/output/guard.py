"""Refuses places where writing would replace, or be taken for, what the user has: the store, and the queries."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from foundation.archives.uris import path_of
from foundation.errors import AccessDeniedError, InputNotFoundError, UsageError
from foundation.store.files import Store
from serving.queries import Listed

STANDARD_INPUT = "-"


def check_output(output: Path, *, store: Store | None, queries: Iterable[str]) -> None:
    """Raises UsageError unless `output` names a new or a regular file, away from the store, if any, and the queries.

    Raises InputNotFoundError if the folder that it would be made in does not exist. `queries` are as the user gave
    them: paths, `file://` URIs, or `-`, whose names `spare` watches when they are read.
    """
    _check_parent("--output", output)
    # The file is put in place by renaming: that would replace /dev/null itself.
    if output.exists() and not output.is_file():
        raise UsageError(f"output {output} is not a regular file; expected a file name, or no --output for stdout")
    _check_place("output", output, store, queries)


def check_new_folder(
    flag: str, folder: Path, *, store: Store | None, queries: Iterable[str], others: Iterable[Path | None] = ()
) -> None:
    """Raises UsageError unless `folder` is new or empty, away from the store, the queries, and what else is written.

    `others` is what other flags name: none of it may lie in the folder. Raises InputNotFoundError if the folder that it
    would be made in does not exist.
    """
    what = f"{flag.removeprefix('--')} folder"
    _check_parent(flag, folder)
    _check_place(what, folder, store, queries)
    for other in others:
        if other and _real(other).is_relative_to(_real(folder)):
            raise UsageError(f"{other} lies in the {what} {folder}; choose another place for one of them")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{what} {folder} is a file; expected the name of a new folder")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{what} {folder} is not empty; expected a new or an empty one: nothing is replaced")


def spare(listed: Iterable[Listed], *, output: Path | None) -> Iterator[Listed]:
    """Passes the queries on one by one; raises UsageError at one whose photo the finished output would replace.

    The names of a list or an inventory are known only when they are read. Nothing is replaced by then: the output
    takes its place when the last query is answered.
    """
    for one in listed:
        if output and _is_same_file(output, one.name):
            raise _is_query("output", output, one.name)
        yield one


def _check_parent(flag: str, place: Path) -> None:
    if not place.absolute().parent.is_dir():
        raise InputNotFoundError(f"folder {place.parent} does not exist; make it before {flag} {place}")
    # The user learns of it here, and not when the last of a million queries is answered.
    folder = place if place.is_dir() else place.parent
    if not os.access(folder.absolute(), os.W_OK):
        raise AccessDeniedError(f"folder {folder} may not be written to; choose another place for {flag} {place}")


def _check_place(what: str, place: Path, store: Store | None, queries: Iterable[str]) -> None:
    # A link is replaced where it lies, a folder is written to where it leads.
    places = [_real(place), _real(place.parent) / place.name]
    if store and store.local_root and any(one.is_relative_to(_real(store.local_root)) for one in places):
        raise UsageError(f"{what} {place} lies in the store, whose files are never replaced; choose another place")
    for query in queries:
        if query == STANDARD_INPUT:
            continue
        path = path_of(query)
        if _is_same_file(place, query) or any(one.is_relative_to(_real(path)) for one in places):
            raise _is_query(what, place, query)


def _is_query(what: str, place: Path, query: str) -> UsageError:
    return UsageError(
        f"{what} {place} lies among the queries {query}: what is written there would be looked up, or replace a photo; "
        "choose another place"
    )


def _real(path: Path) -> Path:
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # A URI can hold a null byte, and no file has one: the query will be rejected.
        return path


def _is_same_file(place: Path, query: str) -> bool:
    """Returns whether both are one file by whatever name: the same path, a symbolic link or a hard link."""
    try:
        return os.path.samefile(place, path_of(query))
    except (OSError, ValueError):  # One of them does not exist, or its name holds a null byte.
        return False
