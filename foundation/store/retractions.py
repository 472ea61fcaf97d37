"""CONTRACT: retractions, the append-only list of photos that must not be answered any more.

They lie beside the snapshots and not in them: a retraction counts at once, on every snapshot, rolled-back ones too.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from foundation.errors import ArtifactRefusedError, PublishRaceLostError
from foundation.store import artifact
from foundation.store.artifact import Timestamp
from foundation.store.files import Store

RETRACTIONS = "retractions"
# Of several that write at once each but one has to take the next number; more than so many never do.
ATTEMPTS = 20
# Entries that are read at a time: a bucket takes as long for one as for all of them.
READERS = 16


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


def retraction_numbers(store: Store) -> list[int]:
    """Returns the numbers of all retractions, ascending."""
    return store.numbers(RETRACTIONS)


def retraction_path(number: int) -> str:
    """Returns the path of a retraction in the store."""
    return f"{RETRACTIONS}/{number}.json"


def read_retraction(store: Store, number: int) -> Retraction:
    """Returns one retraction; raises ArtifactRefusedError if it is damaged, for then nobody knows what to withhold."""
    path = retraction_path(number)
    retraction, _ = artifact.read(store, path, Retraction)
    if retraction.number != number:
        raise ArtifactRefusedError(f"{path} says it is retraction {retraction.number}; restore it from a copy")
    return retraction


def read_retractions(store: Store, *, after: int = 0) -> list[Retraction]:
    """Returns the retractions with higher numbers than `after`, up to which they are known, oldest first.

    Raises ArtifactRefusedError for one that is damaged or missing, which may name any photo.
    """
    numbers = retraction_numbers(store)
    expected = range(1, max([after, *numbers]) + 1)
    if missing := sorted(set(expected) - set(numbers)):
        raise ArtifactRefusedError(
            f"{retraction_path(missing[0])} is missing in store {store.uri}; expected {len(expected)} retractions, for "
            "none is ever deleted: restore it from a copy"
        )
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda number: read_retraction(store, number), numbers[after:]))


def photos_of(retractions: Sequence[Retraction]) -> set[RetractedPhoto]:
    """Returns the photos that a whole list withdraws: those of entries that none of it undoes."""
    undone = {one.undoes for one in retractions}
    return {photo for one in retractions if one.number not in undone for photo in one.photos}


def retracted_photos(store: Store) -> set[RetractedPhoto]:
    """Returns every photo that is withdrawn; raises ArtifactRefusedError if the list is damaged."""
    return photos_of(read_retractions(store))


def withdrawn_contents(store: Store) -> list[bytes]:
    """Returns the contents (32 bytes each) that nobody may see any more, ascending."""
    return sorted({bytes.fromhex(photo.content_sha256) for photo in retracted_photos(store)})


def add_retraction(
    store: Store, photos: Sequence[RetractedPhoto], *, why: str, undoes: int | None = None
) -> Retraction:
    """Appends one entry to the list; raises PublishRaceLostError if others append all the time."""
    for _ in range(ATTEMPTS):
        number = max(retraction_numbers(store), default=0) + 1
        retraction = Retraction(number=number, created_at=artifact.now(), why=why, photos=list(photos), undoes=undoes)
        if store.create(retraction_path(number), artifact.to_json(retraction)):
            return retraction
    raise PublishRaceLostError(f"others retract photos at the same time, {ATTEMPTS} times in a row; run again")
