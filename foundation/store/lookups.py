"""CONTRACT: lookups/ID/begun-NAME.json, which says which snapshot a lookup at work reads, and which process is at it.

What else lies in the directory of a lookup is for the program alone that wrote it. The whole directory goes when the
answers are written.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from foundation.errors import FirstseenError, TemporaryError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.unfinished import AtWork, is_at_work

LOOKUPS = "lookups"
BEGUN = "begun-"


@dataclass(frozen=True, kw_only=True)
class LookupBegun(AtWork):
    """A lookup that a process began, or went on with: the number of the snapshot that it reads, and the process."""

    __pydantic_config__: ClassVar = artifact.CONTRACT

    snapshot: int
    contract_version: int = 1


def lookup_directory(lookup_id: str) -> str:
    """Returns the path in the store of what a lookup needs until its answers are written."""
    return f"{LOOKUPS}/{lookup_id}"


def begin_lookup(store: Store, lookup_id: str, *, snapshot: int) -> None:
    """Writes down that this process is at a lookup; raises TemporaryError if another of this machine is.

    Of two that begin at the same moment one goes on. Those of two machines do not know of each other: both do the same,
    and what each writes is created once.
    """
    begun = LookupBegun.here(snapshot=snapshot)
    number = max(_numbers(store, lookup_id), default=0) + 1
    # Whoever has a number was there before everybody with a higher one: nobody takes a number that is taken.
    while not store.create(path := _begun_path(lookup_id, number), artifact.to_json(begun)):
        number += 1
    for other, one in _begun(store, lookup_id):
        if other < path and one.process != begun.process and is_at_work(one):
            store.delete([path])
            raise TemporaryError(
                f"process {one.process} is looking up the same photos in this store; expected one at a time: run again "
                "when it is done"
            )


def is_begun(store: Store, lookup_id: str) -> bool:
    """Returns whether a lookup is there still: who has written its answers removes it."""
    return any(True for _ in _begun(store, lookup_id))


def end_lookup(store: Store, lookup_id: str) -> None:
    """Removes all that a lookup needed, and what says that it began after everything else."""
    directory = lookup_directory(lookup_id)
    paths = {file.path for file in store.walk(directory)}
    begun = {path for path in paths if path.startswith(f"{directory}/{BEGUN}")}
    store.delete(sorted(paths - begun))
    store.delete(sorted(begun))
    store.remove_directories([*store.empty_directories(LOOKUPS), LOOKUPS])


def unfinished_lookups(store: Store) -> dict[str, list[LookupBegun]]:
    """Returns the lookups that are at work or were cut off, and what is known of each."""
    return {name: [one for _, one in _begun(store, name)] for name in store.directories(LOOKUPS)}


def lookups_at_work(store: Store) -> list[str]:
    """Returns the directories of the lookups that a process of this machine is at."""
    return [lookup_directory(name) for name, begun in unfinished_lookups(store).items() if any(map(is_at_work, begun))]


def _begun_path(lookup_id: str, number: int) -> str:
    return f"{lookup_directory(lookup_id)}/{BEGUN}{number:08d}.json"


def _numbers(store: Store, lookup_id: str) -> list[int]:
    stems = [name.removeprefix(BEGUN).removesuffix(".json") for name in store.files(lookup_directory(lookup_id))]
    return [int(stem) for stem in stems if stem.isdecimal()]


def _begun(store: Store, lookup_id: str) -> Iterator[tuple[str, LookupBegun]]:
    directory = lookup_directory(lookup_id)
    for name in store.files(directory):
        # A process that was killed may have left anything there, and another may remove it now.
        if name.startswith(BEGUN):
            with suppress(FirstseenError):
                yield f"{directory}/{name}", artifact.read(store, f"{directory}/{name}", LookupBegun)[0]
