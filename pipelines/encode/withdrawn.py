"""Reads which photos of an archive were withdrawn: they are neither read nor embedded again, under whatever name."""

from dataclasses import dataclass

from foundation.store.files import Store
from foundation.store.retractions import contents_of, retracted_photos


@dataclass(frozen=True)
class Withdrawn:
    """The photo_ids of one archive, and the contents (32 bytes each) of any, that were withdrawn."""

    photo_ids: list[str]
    contents: list[bytes]


def read_withdrawn(store: Store, archive: str) -> Withdrawn:
    """Returns what was withdrawn; raises ArtifactRefusedError if the list is damaged."""
    retracted = retracted_photos(store)
    names = {photo.photo_id for photo in retracted if photo.archive == archive}
    return Withdrawn(sorted(names), contents_of(retracted))
