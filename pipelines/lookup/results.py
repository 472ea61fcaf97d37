"""Hands the answers of a lookup on in their order, and looks anew at queries whose answers name what was withdrawn."""

from collections.abc import Callable, Iterator, Sequence

from foundation.errors import TemporaryError
from pipelines.lookup.in_order import InOrder
from pipelines.lookup.owners import Owner
from pipelines.lookup.withdrawn import Withdrawn
from pipelines.lookup.work_file import WORK_FILE, read_all_names, read_names
from pipelines.lookup.worker import Job
from serving.answers import Answer


class OutdatedAnswersError(TemporaryError):
    """Some of the answers that were handed on name what was withdrawn meanwhile: they have to be written once more."""


class Results:
    """The answers to all queries; `look_again` answers some of them anew, by their names."""

    def __init__(
        self,
        job: Job,
        in_order: InOrder,
        withdrawn: Withdrawn,
        look_again: Callable[[list[str]], Sequence[list[Answer]]],
    ):
        self._job, self._in_order, self._withdrawn = job, in_order, withdrawn
        self._look_again = look_again
        # Answers may be of days ago, when nothing was withdrawn yet.
        self._is_current = withdrawn.is_empty

    def answers(self, *, may_be_taken_back: bool) -> Iterator[list[Answer]]:
        """Yields the answers of each query.

        No photo is named that was withdrawn a minute before. Whoever can take back what he wrote, a file without its
        name yet, gets OutdatedAnswersError if it names one by now, and asks again.
        """
        if not self._is_current:
            self._renew()
        names_of_chunks = read_all_names(self._job.store, self._job.files.path(WORK_FILE))
        for chunk, names in enumerate(names_of_chunks):
            self._keep_up(may_be_taken_back=may_be_taken_back)
            yield from self._in_order.answers(chunk, names)
        self._keep_up(may_be_taken_back=may_be_taken_back)

    def _keep_up(self, *, may_be_taken_back: bool) -> None:
        if self._withdrawn.look() and self._renew() and may_be_taken_back:
            raise OutdatedAnswersError("answers that were written name what was withdrawn meanwhile; write them again")

    def _renew(self) -> bool:
        """Looks anew at queries whose answers name what is withdrawn; returns whether there are any."""
        self._in_order.forget_replaced()
        chunks = range(self._job.plan.chunks)
        outdated = [one for chunk in chunks for one in self._in_order.outdated(chunk, self._withdrawn)]
        if outdated:
            answers = self._look_again([self._name(one) for one in outdated])
            self._in_order.replace(dict(zip(outdated, answers, strict=True)))
        self._is_current = True
        return bool(outdated)

    def _name(self, owner: Owner) -> str:
        return read_names(self._job.store, self._job.files.path(WORK_FILE), owner.chunk)[owner.number]
