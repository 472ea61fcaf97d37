"""Keeps up with the retractions of a store while it is open: what was withdrawn is known within half a minute."""

from time import monotonic

from foundation.store.files import Store
from foundation.store.retractions import Retraction, photos_of, read_retractions

# How old the last look at the list may be when a query is answered. Whatever is retracted is promised to be gone
# within 60 seconds; the other half is for the queries that are being answered meanwhile.
RETRACTIONS_SECONDS = 30


class RetractedPhotos:
    """What was retracted, as of the last look: `contents` (32 bytes each), and `names` (archive, photo_id)."""

    def __init__(self, store: Store):
        """Takes the first look; raises ArtifactRefusedError as `read_retractions` does."""
        self._store = store
        self._known: list[Retraction] = []
        self.contents: frozenset[bytes] = frozenset()
        self.names: frozenset[tuple[str, str]] = frozenset()
        self._read()

    def look(self) -> bool:
        """Reads what is new, if the last look was RETRACTIONS_SECONDS ago; returns whether anything was.

        Costs one listing. Raises ArtifactRefusedError if the list lost an entry or one of them is damaged, and again at
        the next call: then nobody knows what must not be answered.
        """
        return monotonic() - self._looked_at >= RETRACTIONS_SECONDS and self._read()

    def _read(self) -> bool:
        started = monotonic()
        new = read_retractions(self._store, after=len(self._known))
        photos = photos_of([*self._known, *new])
        self.contents = frozenset(bytes.fromhex(photo.content_sha256) for photo in photos)
        self.names = frozenset((photo.archive, photo.photo_id) for photo in photos)
        self._known += new
        self._looked_at = started
        return bool(new)
