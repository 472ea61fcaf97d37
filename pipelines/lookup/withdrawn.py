"""Keeps up with what is retracted and ignored while a lookup goes on, and tells which of its answers name any of it."""

from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from foundation.store.files import Store
from serving.answers import Answer
from serving.search.ignored import IgnoredPhotos
from serving.search.retracted import RetractedPhotos


class Withdrawn:
    """What must not be answered any more, as of the last look."""

    def __init__(self, store: Store):
        """Takes the first look; raises ArtifactRefusedError if a list is damaged, or has lost an entry."""
        self._retracted = RetractedPhotos(store)
        self._ignored = IgnoredPhotos(store)
        self._take_up()

    def look(self) -> bool:
        """Takes up what is new, if the last look was some time ago; returns whether anything is."""
        found = [self._retracted.look(), self._ignored.look()]
        if any(found):
            self._take_up()
        return any(found)

    def _take_up(self) -> None:
        # Made once a look: of a million queries, each is compared with them.
        self._contents = self._retracted.contents | self._ignored.bank.contents
        self._names = {photo_id for _, photo_id in self._retracted.names}

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever withdrawn."""
        return not self._contents

    def is_named_in(self, answers: Sequence[Answer], contents: Iterable[bytes]) -> bool:
        """Returns whether answers may name what is withdrawn; `contents` (32 bytes each) are those of their matches.

        A retracted photo's name is withdrawn too, whatever content came under it. An answer does not say of which
        archive its photos are: one of the same name counts as well, and is found again by a lookup that knows.
        """
        if not self._contents.isdisjoint(contents):
            return True
        return any(
            one.photo_id in self._names
            or (one.first_seen_uri and _ends_in_any(unquote(one.first_seen_uri), self._names))
            for one in answers
        )


def _ends_in_any(uri: str, names: set[str]) -> bool:
    # The name of a photo is the end of its URI, from some slash on, or behind the sign of a part.
    parts = uri.replace("#", "/").split("/")
    return any("/".join(parts[start:]) in names for start in range(len(parts)))
