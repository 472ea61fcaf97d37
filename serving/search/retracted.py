"""Keeps up with the retractions of a store while it is open."""

from collections.abc import Sequence

from foundation.store.files import Store
from foundation.store.retractions import Retraction, contents_of, photos_of, read_retractions
from serving.search.followed import FollowedList


class RetractedPhotos(FollowedList[Retraction]):
    """What was retracted, as of the last look: `contents` (32 bytes each), and `names` (archive, photo_id)."""

    contents: frozenset[bytes]
    names: frozenset[tuple[str, str]]

    def __init__(self, store: Store):
        """Takes the first look; raises ArtifactRefusedError as `read_retractions` does."""
        super().__init__(lambda after: read_retractions(store, after=after))

    def _take_up(self, entries: Sequence[Retraction]) -> None:
        photos = photos_of(entries)
        self.contents = frozenset(contents_of(photos))
        self.names = frozenset((photo.archive, photo.photo_id) for photo in photos)
