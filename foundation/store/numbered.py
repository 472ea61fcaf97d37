"""Reads lists that only grow, and appends to them: numbered JSON files without a gap, none of them deleted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from foundation.errors import ArtifactRefusedError, InputNotFoundError, PublishRaceLostError, UnknownVersionError
from foundation.store import artifact
from foundation.store.files import Store

Entry = TypeVar("Entry")

# Of several that write at once each but one has to take the next number; more than so many never do.
ATTEMPTS = 20
# Entries that are read at a time: a bucket takes as long for one as for all of them.
READERS = 16


def entry_path(folder: str, number: int) -> str:
    """Returns the path of an entry in the store."""
    return f"{folder}/{number}.json"


def read_entry(store: Store, folder: str, number: int, kind: type[Entry]) -> Entry:
    """Returns one entry; raises ArtifactRefusedError if it is damaged, for then nobody knows what it says."""
    path = entry_path(folder, number)
    entry, _ = artifact.read(store, path, kind)
    found: Any = entry
    if found.number != number:
        raise ArtifactRefusedError(f"{path} says it is number {found.number}; restore it from a copy")
    return entry


def read_entries(store: Store, folder: str, kind: type[Entry], *, after: int = 0, give_up: str = "") -> list[Entry]:
    """Returns the entries with higher numbers than `after`, up to which they are known, oldest first.

    Raises ArtifactRefusedError for one that is damaged or missing, which may say anything, unless a later one `undoes`
    it: then it does not matter. `give_up` is the command that does so, with `{number}` in it.
    """
    numbers = store.numbers(folder)
    if after and after not in numbers:
        raise _missing(store, folder, after)
    last = max(numbers, default=0)
    if last <= after:
        return []
    with ThreadPoolExecutor(READERS) as pool:
        found = list(pool.map(lambda number: _read_or_why(store, folder, number, kind), range(after + 1, last + 1)))
    entries: list[Any] = [one for one in found if not isinstance(one, ArtifactRefusedError)]
    undone = {entry.undoes for entry in entries}
    for number, one in enumerate(found, start=after + 1):
        if isinstance(one, ArtifactRefusedError) and number not in undone:
            remedy = f"; or go on without what it says: `{give_up.format(number=number)}`" if give_up else ""
            raise ArtifactRefusedError(f"{one}{remedy}") from one
    return entries


def is_unreadable(store: Store, folder: str, number: int, kind: type[Entry]) -> bool:
    """Returns whether there has to be an entry of this number, and it is damaged or missing."""
    is_one = 1 <= number <= max(store.numbers(folder), default=0)
    return is_one and isinstance(_read_or_why(store, folder, number, kind), ArtifactRefusedError)


def _read_or_why(store: Store, folder: str, number: int, kind: type[Entry]) -> Entry | ArtifactRefusedError:
    try:
        return read_entry(store, folder, number, kind)
    except UnknownVersionError:
        raise
    except ArtifactRefusedError as error:
        return error
    except InputNotFoundError:
        # Rights that are missing are no entry that is.
        if store.exists(entry_path(folder, number)):
            raise
        return _missing(store, folder, number)


def _missing(store: Store, folder: str, number: int) -> ArtifactRefusedError:
    path = entry_path(folder, number)
    return ArtifactRefusedError(
        f"{path} is missing in store {store.uri}; expected one, for none is ever deleted: restore it from a copy"
    )


def add_entry(store: Store, folder: str, make: Callable[[int], Entry]) -> Entry:
    """Appends the entry that is made for the next number; raises PublishRaceLostError if others append all the time."""
    for _ in range(ATTEMPTS):
        number = max(store.numbers(folder), default=0) + 1
        entry = make(number)
        if store.create(entry_path(folder, number), artifact.to_json(entry)):
            return entry
    raise PublishRaceLostError(
        f"others append to {folder}/ of store {store.uri} at the same time, {ATTEMPTS} times in a row; run again"
    )
