"""Hands the answers of a lookup on in their order, and looks anew at queries whose answers name what was withdrawn."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from foundation.errors import TemporaryError
from pipelines.lookup.in_order import InOrder
from pipelines.lookup.owners import QueryPlace
from pipelines.lookup.withdrawn import Withdrawn
from pipelines.lookup.work_file import WORK_FILE, read_all_names, read_names
from pipelines.lookup.worker import Job
from serving.answers import Answer


class OutdatedAnswersError(TemporaryError):
    """Some of the answers that were handed on name what was withdrawn meanwhile: they have to be written once more."""


class Results:
    """The answers to all queries; `look_again` answers some of them anew, by their names."""

    def __init__(
        self, job: Job, in_order: InOrder, withdrawn: Withdrawn, look_again: Callable[[Sequence[str]], InOrder]
    ):
        self._plan, self._in_order, self._withdrawn = job.plan, in_order, withdrawn
        self._look_again = look_again
        self._queries = job.store, job.files.path(WORK_FILE), job.plan.queries_sha256

    def answers(self, *, may_be_taken_back: bool) -> Iterator[list[Answer]]:
        """Yields the answers of each query.

        No photo is named that was withdrawn a minute before. Whoever can take back what he wrote, a file without its
        name yet, gets OutdatedAnswersError if it names one by now, and asks again.
        """
        for chunk, names in enumerate(read_all_names(*self._queries)):
            for number, name in enumerate(names):
                place = QueryPlace(chunk, number)
                # Whoever takes the answers may be slow: the list is looked at for each, which costs a microsecond. To
                # look at all answers costs minutes, and is done for one that names what was withdrawn: so that others
                # are handed on, however often something is withdrawn. To look anew takes its time, too.
                while self._withdrawn.look() and self._in_order.is_outdated(place, self._withdrawn):
                    self._renew(before=place if may_be_taken_back else None)
                yield self._in_order.answers(place, name)
        if may_be_taken_back and self._withdrawn.look():
            self._renew(before=QueryPlace(self._plan.chunks, 0))

    def _renew(self, *, before: QueryPlace | None) -> None:
        """Looks anew at what names anything withdrawn lately; raises OutdatedAnswersError if it is before a place."""
        outdated = self._in_order.outdated(self._withdrawn)
        if outdated:
            names = [name for chunk, some in groupby(outdated, key=_chunk) for name in self._names(chunk, some)]
            places = (QueryPlace(*divmod(n, self._plan.queries_per_chunk)) for n in range(len(names)))
            self._in_order.replace(dict(zip(outdated, places, strict=True)), self._look_again(names))
        self._withdrawn.settle()
        if before and outdated and outdated[0] < before:
            raise OutdatedAnswersError("answers that were written name what was withdrawn meanwhile; write them again")

    def _names(self, chunk: int, places: Iterator[QueryPlace]) -> list[str]:
        names = read_names(*self._queries, chunk)
        return [names[place.number] for place in places]


def _chunk(place: QueryPlace) -> int:
    return place.chunk
