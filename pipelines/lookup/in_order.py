"""Yields the answers of a lookup in the order of its queries: each its own, or those of the query with the same bytes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from foundation.errors import ArtifactRefusedError
from pipelines.lookup.files import WorkingFiles
from pipelines.lookup.names import answers_file
from pipelines.lookup.owners import Owners
from serving.answers import Answer
from serving.batch.answer import Answered

# Chunks whose answers are held: a query may have the bytes of any other one.
HELD_CHUNKS = 64


class InOrder:
    """Reads the answers of chunks, and copies those of contents that came before."""

    def __init__(self, files: WorkingFiles, owners: Owners):
        self._files, self._owners = files, owners
        self._read = lru_cache(HELD_CHUNKS)(lambda chunk: files.read(answers_file(chunk), "answered", Answered))

    def answers(self, chunk: int, names: Sequence[str]) -> Iterator[list[Answer]]:
        """Yields the answers to the queries of a chunk, whose names these are."""
        answered = self._read(chunk)
        for number, name in enumerate(names):
            own = answered.answers.get(number)
            yield self._copied(chunk, answered.known[number], name) if own is None else own

    def _copied(self, chunk: int, content: bytes, name: str) -> list[Answer]:
        owner = self._owners.owner(content)
        if owner is None:
            raise ArtifactRefusedError(
                f"{self._files.path(answers_file(chunk))} copies an answer that is not there; delete it and run the same "
                "lookup again"
            )
        return [replace(one, query=name) for one in self._read(owner.chunk).answers[owner.number]]
