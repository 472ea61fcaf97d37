"""Keeps up with what is retracted and ignored while a lookup goes on, and tells which of its answers name any of it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from foundation.store.files import Store
from serving.answers import Answer
from serving.search.ignored import IgnoredPhotos
from serving.search.retracted import RetractedPhotos


class Hidden(NamedTuple):
    """Contents (32 bytes each) and photo_ids that must not be answered."""

    contents: frozenset[bytes] = frozenset()
    names: frozenset[str] = frozenset()


class Withdrawn:
    """What must not be answered any more as of the last look, and of it what is new: what was not there when settled.

    Before `settle` is called for the first time all of it is new.
    """

    def __init__(self, store: Store):
        """Takes the first look; raises ArtifactRefusedError if a list is damaged, or has lost an entry."""
        self._retracted = RetractedPhotos(store)
        self._ignored = IgnoredPhotos(store)
        self._settled = Hidden()
        self._take_up()

    def look(self) -> bool:
        """Takes up what was added, if the last look was some time ago; returns whether anything is new."""
        if any([self._retracted.look(), self._ignored.look()]):
            self._take_up()
        return any(self._new)

    def settle(self) -> None:
        """Takes nothing for new any more that the last look saw: no answer names it."""
        self._settled, self._new = self._all, Hidden()

    def _take_up(self) -> None:
        # Made once a look: of a million queries, each is compared with what is new.
        contents = self._retracted.contents | self._ignored.bank.contents
        self._all = Hidden(contents, frozenset(photo_id for _, photo_id in self._retracted.names))
        # What was undone is not settled any more: an answer may name it by now, and it may be withdrawn once more.
        self._settled = Hidden(self._settled.contents & contents, self._settled.names & self._all.names)
        self._new = Hidden(self._all.contents - self._settled.contents, self._all.names - self._settled.names)

    def is_named_in(self, answers: Sequence[Answer], contents: Iterable[bytes]) -> bool:
        """Returns whether answers may name what is new; `contents` (32 bytes each) are those of their matches.

        A retracted photo's name is withdrawn too, whatever content came under it. An answer does not say of which
        archive its photos are: one of the same name counts as well, and is found again by a lookup that knows.
        """
        if not self._new.contents.isdisjoint(contents):
            return True
        names = self._new.names
        return any(
            one.photo_id in names or (one.first_seen_uri and _ends_in_any(unquote(one.first_seen_uri), names))
            for one in answers
        )


def _ends_in_any(uri: str, names: frozenset[str]) -> bool:
    # The name of a photo is the end of its URI, from some slash on, or behind the sign of a part.
    parts = uri.replace("#", "/").split("/")
    return any("/".join(parts[start:]) in names for start in range(len(parts)))
