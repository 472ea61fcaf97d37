"""Remembers which contents this worker embeds, so that an exact duplicate is not embedded a second time."""

from collections.abc import Sequence

from pipelines.encode.decode_photos import DecodedPhoto, KnownPhoto, Reject
from pipelines.encode.outcomes import Outcome

# Contents that are remembered, in some 100 MB; a duplicate of one that was forgotten costs an inference, and the index
# merges the two.
REMEMBERED = 500_000
NO_EMBEDDING = "no_embedding"


class EmbeddedHere:
    """The contents that a worker has embedded, each with the chunk that has its row.

    A chunk that is done again, as a runner may want it, embeds its own contents again: their first row may be lost.
    """

    def __init__(self) -> None:
        self._chunks: dict[bytes, int] = {}

    def begin(self, chunk: int) -> "ChunkContents":
        """Returns what the contents of a chunk are settled with."""
        return ChunkContents(chunk, self._chunks)


class ChunkContents:
    """Decides which photos of a chunk are embedded, and what each came to."""

    def __init__(self, chunk: int, chunks: dict[bytes, int]):
        self._chunk = chunk
        self._chunks = chunks
        self._embedded: set[bytes] = set()
        self._unusable: set[bytes] = set()

    def wanted(self, batch: Sequence[DecodedPhoto | KnownPhoto | Reject]) -> list[DecodedPhoto]:
        """Returns the photos of a batch whose contents have no row yet, the first one of each content."""
        first: dict[bytes, DecodedPhoto] = {}
        for one in batch:
            if isinstance(one, DecodedPhoto) and not self._is_settled(one.content_sha256):
                first.setdefault(one.content_sha256, one)
        return list(first.values())

    def settle(
        self,
        batch: Sequence[DecodedPhoto | KnownPhoto | Reject],
        embedded: Sequence[DecodedPhoto],
        unusable: set[bytes],
    ) -> list[Outcome]:
        """Returns what the photos of a batch came to, in their order, after some of them were embedded.

        `unusable` are the contents that the encoder gave no vector for that an index could hold.
        """
        self._unusable |= unusable
        rows = {id(one) for one in embedded if one.content_sha256 not in unusable}
        for one in embedded:
            self._embedded.add(one.content_sha256)
            if one.content_sha256 not in unusable:
                self._remember(one.content_sha256)
        return [self._outcome(one, is_embedded=id(one) in rows) for one in batch]

    def _is_settled(self, content: bytes) -> bool:
        return content in self._embedded or self._chunks.get(content, self._chunk) != self._chunk

    def _remember(self, content: bytes) -> None:
        while len(self._chunks) >= REMEMBERED:
            self._chunks.pop(next(iter(self._chunks)))
        self._chunks[content] = self._chunk

    def _outcome(self, one: DecodedPhoto | KnownPhoto | Reject, *, is_embedded: bool) -> Outcome:
        if isinstance(one, Reject):
            return Outcome(None, one.reason, one.detail)
        if one.content_sha256 in self._unusable:
            detail = "the encoder gave a vector that is not finite or has no direction; expected unit length"
            return Outcome(None, NO_EMBEDDING, detail)
        return Outcome(one.content_sha256, is_embedded=is_embedded, sidecar=one.sidecar)
