"""Keeps what lookups of the page came to, in memory alone and for an hour: nothing of a query is written to a disk."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from time import monotonic

from foundation.store.occurrences import Occurrence
from foundation.store.snapshots import Snapshot
from serving.match.footprint import Size
from serving.match.match import Match, Outcome

KEEP_SECONDS = 3_600
KEEP_BYTES = 256 * 2**20
# Columns, dates and places of a match, and the objects that hold them.
MATCH_BYTES = 8_192


@dataclass(frozen=True)
class HeldPicture:
    """A query as a page shows it: a JPEG without EXIF, and the size and SHA-256 of the file that was uploaded."""

    jpeg: bytes
    size: Size
    content_sha256: bytes


@dataclass(frozen=True)
class HeldQuery:
    """What a query came to; `occurrences` are those of each content (32 bytes) found, first published first."""

    outcome: Outcome
    picture: HeldPicture | None
    occurrences: Mapping[bytes, Sequence[Occurrence]]

    @property
    def bytes(self) -> int:
        """About how much memory it takes."""
        occurrences = sum(map(len, self.occurrences.values()))
        pictures = len(self.picture.jpeg) if self.picture else 0
        return pictures + 1_024 * (1 + occurrences) + sum(map(_match_bytes, self.outcome.matches))


@dataclass(frozen=True)
class HeldLookup:
    """The queries of one lookup, the snapshot that answered all of them, and when it did."""

    snapshot: Snapshot
    queries: Sequence[HeldQuery]
    made_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


class HeldLookups:
    """Lookups by their ids, of 128 random bits each: whoever has the link may see it. One thread alone uses it."""

    def __init__(
        self,
        *,
        keep_seconds: float = KEEP_SECONDS,
        keep_bytes: int = KEEP_BYTES,
        clock: Callable[[], float] = monotonic,
    ):
        self._seconds, self._most_bytes, self._clock = keep_seconds, keep_bytes, clock
        # In the order in which they were made.
        self._held: dict[str, tuple[float, int, HeldLookup]] = {}
        self._bytes = 0

    def add(self, lookup: HeldLookup) -> str:
        """Keeps a lookup, and returns its id; the oldest ones make room for it."""
        lookup_id = secrets.token_urlsafe(16)
        size = sum(query.bytes for query in lookup.queries)
        self._held[lookup_id] = (self._clock() + self._seconds, size, lookup)
        self._bytes += size
        while self._bytes > self._most_bytes and len(self._held) > 1:
            self._drop(next(iter(self._held)))
        return lookup_id

    def get(self, lookup_id: str) -> HeldLookup | None:
        """Returns a lookup, None if it is not kept (any more)."""
        self.forget()
        found = self._held.get(lookup_id)
        return found and found[2]

    def forget(self) -> None:
        """Drops what was kept long enough; called now and then, so that nothing stays because nobody asks."""
        now = self._clock()
        for lookup_id in [one for one, (end, _, _) in self._held.items() if end <= now]:
            self._drop(lookup_id)

    def _drop(self, lookup_id: str) -> None:
        _, size, _ = self._held.pop(lookup_id)
        self._bytes -= size


def _match_bytes(match: Match) -> int:
    dense = match.evidence.dense if match.evidence else None
    return MATCH_BYTES + len(match.thumbnail or b"") + (dense.difference.nbytes if dense else 0)
