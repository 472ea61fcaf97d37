"""Reads which photos of an archive were withdrawn: they are neither read nor embedded again, under whatever name."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.retractions import contents_of, photos_of, read_retractions

# What was taken back so long before the last run may not have been known to it: two machines tell the time.
CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True)
class Withdrawn:
    """The photo_ids of one archive, and the contents (32 bytes each) of any, that were withdrawn.

    `restored` are the contents of retractions that were taken back since the last run; another one may name them, too.
    """

    photo_ids: list[str]
    contents: list[bytes]
    restored: list[bytes]


def read_withdrawn(store: Store, archive: str, *, since: datetime | None) -> Withdrawn:
    """Returns what was withdrawn, and what was taken back `since` then; raises ArtifactRefusedError for damage."""
    retractions = read_retractions(store)
    if since and since > datetime.fromisoformat(artifact.now()) + CLOCKS_DIFFER:
        # The clock went wrong when the last run began, and nobody knows what was taken back after it.
        since = None
    retracted = photos_of(retractions)
    names = {photo.photo_id for photo in retracted if photo.archive == archive}
    undone = {
        one.undoes
        for one in retractions
        if one.undoes and (since is None or datetime.fromisoformat(one.created_at) > since - CLOCKS_DIFFER)
    }
    back = contents_of(photo for one in retractions if one.number in undone for photo in one.photos)
    return Withdrawn(sorted(names), contents_of(retracted), back)
