"""Yields the answers of a lookup in the order of its queries: its own, or those of the query with the same bytes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from foundation.errors import ArtifactRefusedError
from pipelines.lookup.files import WorkingFiles
from pipelines.lookup.names import answers_file
from pipelines.lookup.owners import Owner, Owners
from pipelines.lookup.withdrawn import Withdrawn
from serving.answers import Answer
from serving.batch.answered import Answered

# A query may have the bytes of any other one. Held are the answers of some chunks, and those that were copied lately,
# some 3 KB each: of a million queries with a few thousand contents no chunk is read more than some times.
HELD_CHUNKS, HELD_COPIED = 64, 65_536


class InOrder:
    """The answers of chunks, and those of contents that came before under the names of later queries.

    `again` has the answers that take the place of others, since these named what was withdrawn later.
    """

    def __init__(self, files: WorkingFiles, owners: Owners):
        self._files, self._owners = files, owners
        self._read = lru_cache(HELD_CHUNKS)(lambda chunk: files.read(answers_file(chunk), "answered", Answered))
        self._copied = lru_cache(HELD_COPIED)(lambda owner: self._read(owner.chunk).answers[owner.number])
        self._again: dict[Owner, list[Answer]] = {}

    def answers(self, chunk: int, names: Sequence[str]) -> Iterator[list[Answer]]:
        """Yields the answers to the queries of a chunk, whose names these are."""
        answered = self._read(chunk)
        for number, name in enumerate(names):
            if number in answered.answers:
                yield self._again.get(Owner(chunk, number)) or answered.answers[number]
            else:
                own = self._own(self._owner(chunk, answered.known[number]))
                yield [replace(one, query=name) for one in own]

    def outdated(self, chunk: int, withdrawn: Withdrawn) -> Iterator[Owner]:
        """Yields the queries of a chunk whose own answers may name what is withdrawn, if none replaced them."""
        answered = self._read(chunk)
        for number, answers in answered.answers.items():
            owner = Owner(chunk, number)
            if owner not in self._again and withdrawn.is_named_in(answers, answered.shown.get(number, ())):
                yield owner

    def replace(self, answers: Mapping[Owner, list[Answer]]) -> None:
        """Takes other answers of some queries, for these and for whoever has the same bytes."""
        self._again |= answers

    def forget_replaced(self) -> None:
        """Takes none for granted that took the place of another: something else was withdrawn since."""
        self._again.clear()

    def _own(self, owner: Owner) -> list[Answer]:
        return self._again.get(owner) or list(self._copied(owner))

    def _owner(self, chunk: int, content: bytes) -> Owner:
        owner = self._owners.owner(content)
        if owner is None:
            raise ArtifactRefusedError(
                f"{self._files.path(answers_file(chunk))} copies an answer that is not there; delete it and run the "
                "same lookup again"
            )
        return owner
