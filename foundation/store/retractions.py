"""CONTRACT: retractions, the append-only list of photos that must not be answered any more.

They lie beside the snapshots and not in them: a retraction counts at once, on every snapshot, rolled-back ones too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from foundation.store import artifact
from foundation.store.artifact import Timestamp
from foundation.store.files import Store
from foundation.store.numbered import add_entry, entry_path, is_unreadable, read_entries

RETRACTIONS = "retractions"
GIVE_UP = "firstseen retract --undo {number} --why TEXT"


@dataclass(frozen=True, kw_only=True)
class RetractedPhoto:
    """One photo that is withdrawn: its name in its archive, and the SHA-256 (hex) of its content.

    Its content is withdrawn with it, under whatever name it lies; and what comes under its name later is, too.
    """

    archive: str
    photo_id: str
    content_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True)
class Retraction:
    """One entry of the list: which photos were withdrawn, when, and why.

    With `undoes` it names no photo, and takes back the entry of that number. A program that does not know the field
    goes on to withhold the photos.
    """

    __pydantic_config__: ClassVar = artifact.CONTRACT

    number: int
    created_at: Timestamp
    why: str
    photos: list[RetractedPhoto]
    undoes: int | None = None
    contract_version: int = 1


def retraction_path(number: int) -> str:
    """Returns the path of a retraction in the store."""
    return entry_path(RETRACTIONS, number)


def read_retractions(store: Store, *, after: int = 0) -> list[Retraction]:
    """Returns the retractions with higher numbers than `after`, up to which they are known, oldest first.

    Raises ArtifactRefusedError for one that is damaged or missing, which may name any photo.
    """
    return read_entries(store, RETRACTIONS, Retraction, after=after, give_up=GIVE_UP)


def is_damaged(store: Store, number: int) -> bool:
    """Returns whether nobody can read what the retraction of this number says."""
    return is_unreadable(store, RETRACTIONS, number, Retraction)


def photos_of(retractions: Sequence[Retraction]) -> set[RetractedPhoto]:
    """Returns the photos that a whole list withdraws: those of entries that none of it undoes."""
    undone = {one.undoes for one in retractions}
    return {photo for one in retractions if one.number not in undone for photo in one.photos}


def retracted_photos(store: Store) -> set[RetractedPhoto]:
    """Returns every photo that is withdrawn; raises ArtifactRefusedError if the list is damaged."""
    return photos_of(read_retractions(store))


def contents_of(photos: Iterable[RetractedPhoto]) -> list[bytes]:
    """Returns the contents (32 bytes each) of withdrawn photos, ascending."""
    return sorted({bytes.fromhex(photo.content_sha256) for photo in photos})


def withdrawn_contents(store: Store) -> list[bytes]:
    """Returns the contents (32 bytes each) that nobody may see any more, ascending."""
    return contents_of(retracted_photos(store))


def add_retraction(
    store: Store, photos: Sequence[RetractedPhoto], *, why: str, undoes: int | None = None
) -> Retraction:
    """Appends one entry to the list; raises PublishRaceLostError if others append all the time."""
    return add_entry(
        store,
        RETRACTIONS,
        lambda number: Retraction(
            number=number, created_at=artifact.now(), why=why, photos=list(photos), undoes=undoes
        ),
    )
