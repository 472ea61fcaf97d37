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
        end = QueryPlace(self._plan.chunks, 0)
        for chunk, names in enumerate(read_all_names(*self._queries)):
            for number, name in enumerate(names):
                place = QueryPlace(chunk, number)
                # Whoever takes the answers may be slow: the list is looked at for each, which costs a microsecond.
                self._keep_up(place, may_be_taken_back=may_be_taken_back)
                yield self._in_order.answers(place, name)
        self._keep_up(end, may_be_taken_back=may_be_taken_back)

    def _keep_up(self, place: QueryPlace, *, may_be_taken_back: bool) -> None:
        """Looks anew at what names anything withdrawn lately; raises OutdatedAnswersError if it is before a place."""
        # To look anew takes its time, in which more may be withdrawn.
        while self._withdrawn.look():
            outdated = self._in_order.outdated(self._withdrawn)
            if outdated:
                names = [name for chunk, some in groupby(outdated, key=_chunk) for name in self._names(chunk, some)]
                places = (QueryPlace(*divmod(n, self._plan.queries_per_chunk)) for n in range(len(names)))
                self._in_order.replace(dict(zip(outdated, places, strict=True)), self._look_again(names))
            self._withdrawn.settle()
            if may_be_taken_back and outdated and outdated[0] < place:
                raise OutdatedAnswersError(
                    "answers that were written name what was withdrawn meanwhile; write them again"
                )

    def _names(self, chunk: int, places: Iterator[QueryPlace]) -> list[str]:
        names = read_names(*self._queries, chunk)
        return [names[place.number] for place in places]


def _chunk(place: QueryPlace) -> int:
    return place.chunk
