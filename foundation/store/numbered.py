"""Reads lists that only grow, and appends to them: numbered JSON files without a gap, none of them deleted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from foundation.errors import ArtifactRefusedError, PublishRaceLostError
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


def read_entries(store: Store, folder: str, kind: type[Entry], *, after: int = 0) -> list[Entry]:
    """Returns the entries with higher numbers than `after`, up to which they are known, oldest first.

    Raises ArtifactRefusedError for one that is damaged or missing, which may say anything.
    """
    numbers = store.numbers(folder)
    expected = range(1, max([after, *numbers]) + 1)
    if missing := sorted(set(expected) - set(numbers)):
        raise ArtifactRefusedError(
            f"{entry_path(folder, missing[0])} is missing in store {store.uri}; expected {len(expected)} entries, for "
            "none is ever deleted: restore it from a copy"
        )
    if not numbers[after:]:
        return []
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda number: read_entry(store, folder, number, kind), numbers[after:]))


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
