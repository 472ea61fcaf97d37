"""CONTRACT: amendments, which say how the files of a finished run changed since its run.json was written.

A run and its digest stay what they are. Where a file was lost, replaced or stripped of a photo, an amendment names what
counts instead. One that is damaged counts for nothing: the files of its run then seem to be lost, and are mended anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from foundation.errors import ArtifactRefusedError, UnknownVersionError
from foundation.store import artifact
from foundation.store.artifact import FileName, FileRecord, Files, Timestamp
from foundation.store.files import Store
from foundation.store.numbered import add_entry, read_entry
from foundation.store.run_paths import RUN_DESCRIPTION, run_directory

if TYPE_CHECKING:
    from foundation.store.runs import Run

AMENDMENTS = "amendments"


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """What changed of one run: files that count no more, and files, with their digests, that count from now on.

    `rows` counts those of added shards, `changes` those of changes that were written anew. Of a run that `is_whole` no
    more something is lost: what is indexed of it stays so, and it is not indexed again. With run.json removed the run
    counts for nothing.
    """

    __pydantic_config__: ClassVar = artifact.CONTRACT

    number: int
    created_at: Timestamp
    encoder_id: str
    run_id: str
    why: str
    removed: list[FileName] = field(default_factory=list)
    added: Files = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    changes: int | None = None
    is_whole: bool = True
    contract_version: int = 1


@dataclass(frozen=True)
class Amendments:
    """All amendments of a store that can be read, oldest first; `damaged` says why others cannot, by their number."""

    entries: Sequence[Amendment] = ()
    damaged: dict[int, str] = field(default_factory=dict)

    def of(self, encoder_id: str, run_id: str) -> list[Amendment]:
        """Returns those of one run, oldest first."""
        return [one for one in self.entries if (one.encoder_id, one.run_id) == (encoder_id, run_id)]

    def is_given_up(self, encoder_id: str, run_id: str) -> bool:
        """Returns whether a run counts for nothing any more."""
        return any(RUN_DESCRIPTION in one.removed for one in self.of(encoder_id, run_id))

    def is_whole(self, encoder_id: str, run_id: str) -> bool:
        """Returns whether nothing is lost of a run, as far as amendments say."""
        return all(one.is_whole for one in self.of(encoder_id, run_id))

    def apply(self, run: "Run") -> "Run":
        """Returns a run, as its run.json describes it, with the files that count now."""
        for one in self.of(run.encoder_id, run.run_id):
            run = replace(
                run,
                files=_without(run.files, one.removed) | one.added,
                rows=_without(run.rows, one.removed) | one.rows,
                changes=run.changes if one.changes is None else one.changes,
            )
        return run


def _without(found: dict, names: Sequence[str]) -> dict:
    return {name: found[name] for name in found if name not in names}


def read_amendments(store: Store) -> Amendments:
    """Returns all amendments of a store: one request to list them, and one for each; most stores have none.

    Raises UnknownVersionError for one that a later program wrote: without it, what was purged would count again.
    """
    entries, damaged = [], {}
    for number in store.numbers(AMENDMENTS):
        try:
            entries.append(read_entry(store, AMENDMENTS, number, Amendment))
        except UnknownVersionError:
            raise
        except ArtifactRefusedError as error:
            damaged[number] = str(error)
    return Amendments(entries, damaged)


def amend(
    store: Store,
    run: tuple[str, str],
    *,
    why: str,
    removed: Sequence[str] = (),
    added: dict[str, FileRecord] | None = None,
    rows: dict[str, int] | None = None,
    changes: int | None = None,
    is_whole: bool = True,
) -> Amendment:
    """Writes down what changed of a run, (encoder_id, run_id), and removes the files that count no more.

    Raises PublishRaceLostError if others amend all the time.
    """
    encoder_id, run_id = run
    entry = add_entry(
        store,
        AMENDMENTS,
        lambda number: Amendment(
            number=number,
            created_at=artifact.now(),
            encoder_id=encoder_id,
            run_id=run_id,
            why=why,
            removed=list(removed),
            added=added or {},
            rows=rows or {},
            changes=changes,
            is_whole=is_whole,
        ),
    )
    remove_amended(store, entry)
    return entry


def remove_amended(store: Store, entry: Amendment) -> None:
    """Removes the files that an amendment took out of its run; a process may have died between the two."""
    directory = run_directory(entry.encoder_id, entry.run_id)
    store.delete([f"{directory}/{name}" for name in entry.removed])
