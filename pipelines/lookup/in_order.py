"""Finds the answer to each query of a lookup: its own, that of a query with the same bytes, or one that replaces it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from foundation.errors import ArtifactRefusedError
from pipelines.lookup.files import WorkingFiles
from pipelines.lookup.names import answers_file
from pipelines.lookup.owners import Owners, QueryPlace
from pipelines.lookup.withdrawn import Withdrawn
from serving.answers import Answer
from serving.batch.answered import Answered

# A query may have the bytes of any other one. Held are the answers of some chunks, and those that were copied lately,
# of 1 to 2 KB a match: with ten matches each, that is 0.6 GB at the worst. To read another chunk takes 5 ms: of a
# million queries with some ten thousand contents few do.
HELD_CHUNKS, HELD_COPIED = 64, 32_768


class Found(NamedTuple):
    """The answers to a query, and the contents (32 bytes each) that they show."""

    answers: list[Answer]
    shown: Sequence[bytes]


class InOrder:
    """The answers of the chunks of a lookup, and those of contents that came before under the names of later queries.

    Answers that replace others stay in the files of the lookup that found them.
    """

    def __init__(self, files: WorkingFiles, owners: Owners, chunks: int):
        self._files, self._owners, self._chunks = files, owners, range(chunks)
        self._read = lru_cache(HELD_CHUNKS)(lambda chunk: files.read(answers_file(chunk), "answered", Answered))
        self._copied = lru_cache(HELD_COPIED)(self._own)
        self._replaced: dict[QueryPlace, tuple[InOrder, QueryPlace]] = {}

    def answers(self, place: QueryPlace, name: str) -> list[Answer]:
        """Returns the answers to a query, whose name this is."""
        if place in self._replaced:
            found_by, there = self._replaced[place]
            return found_by.answers(there, name)
        return [replace(one, query=name) for one in self._found(place).answers]

    def is_outdated(self, place: QueryPlace, withdrawn: Withdrawn) -> bool:
        """Returns whether the answers to a query name what was withdrawn lately."""
        if place in self._replaced:
            found_by, there = self._replaced[place]
            return found_by.is_outdated(there, withdrawn)
        return withdrawn.is_named_in(*self._found(place))

    def outdated(self, withdrawn: Withdrawn) -> list[QueryPlace]:
        """Returns the queries whose answers name what was withdrawn lately, in their order; reads all answers."""
        own = {
            QueryPlace(chunk, number)
            for chunk in self._chunks
            for number, answers in self._read(chunk).answers.items()
            if withdrawn.is_named_in(answers, self._read(chunk).shown.get(number, ()))
        }
        # A copy may come before the query that it is of: the chunks are gone through once more.
        copies = {
            QueryPlace(chunk, number)
            for chunk in (self._chunks if own else ())
            for number, content in self._read(chunk).known.items()
            if self._owner(chunk, content) in own
        }
        later = {one: set(one.outdated(withdrawn)) for one in {one for one, _ in self._replaced.values()}}
        again = {place for place, (one, there) in self._replaced.items() if there in later[one]}
        return sorted(again | ((own | copies) - self._replaced.keys()))

    def replace(self, places: Mapping[QueryPlace, QueryPlace], found_by: "InOrder") -> None:
        """Takes other answers of some queries, which have places of their own in the lookup that found them."""
        self._replaced |= {place: (found_by, there) for place, there in places.items()}

    def _found(self, place: QueryPlace) -> Found:
        answered = self._read(place.chunk)
        if place.number in answered.answers:
            return self._own(place)
        return self._copied(self._owner(place.chunk, answered.known[place.number]))

    def _own(self, place: QueryPlace) -> Found:
        answered = self._read(place.chunk)
        return Found(answered.answers[place.number], answered.shown.get(place.number, ()))

    def _owner(self, chunk: int, content: bytes) -> QueryPlace:
        owner = self._owners.owner(content)
        if owner is None:
            raise ArtifactRefusedError(
                f"{self._files.path(answers_file(chunk))} copies an answer that is not there; delete it and run the "
                "same lookup again"
            )
        return owner
