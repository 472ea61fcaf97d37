"""Answers a chunk of queries from what was gathered for it, or prepares a closer look at those left open."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from pipelines.lookup.contents import Contents
from pipelines.lookup.files import Part
from pipelines.lookup.merge_chunk import is_whole
from pipelines.lookup.names import CLOSE, FETCHED, FIRST, PREPARED, WANTED, answers_file, chunk_file, group_file
from pipelines.lookup.prepare_chunk import pictures_of
from pipelines.lookup.step import Step
from pipelines.lookup.worker import Job, Worker
from serving.batch.answer import answer, closer
from serving.batch.answered import Answered
from serving.batch.fetched import Fetched, merge_fetched
from serving.batch.pictures import Pictures
from serving.batch.prepared import Prepared
from serving.batch.wanted import Wanted


class AnswerChunk(Step):
    """(chunk, all groups) → chunk, if some of its queries need a closer look; nothing once it is answered."""

    def __init__(self, job: Job, look: int):
        super().__init__(job)
        self._look = look

    def process(self, gathered: tuple[int, Iterable[tuple[int, int]]]) -> Iterator[int]:
        """Answers the chunk unless that was done before."""
        chunk, groups = gathered
        if not is_whole(groups, self.worker.plan):
            return
        size = self.worker.plan.size(chunk)
        if self._look == CLOSE:
            self.once(answers_file(chunk), partial(_finish, self.worker, chunk), queries=size)
            return
        name = chunk_file(PREPARED, chunk, CLOSE)
        if self.once(name, partial(_answer_first, self.worker, chunk), queries=size):
            with self.report.reporting():
                if self.worker.files.read(name, "answered", Answered).unsettled:
                    yield chunk
                else:
                    self.once(answers_file(chunk), partial(_take_over, self.worker, chunk), queries=size)


def _answer_first(worker: Worker, chunk: int) -> Mapping[str, Part]:
    pictures = pictures_of(worker, chunk)
    answered, prepared, wanted = _answered(worker, chunk, FIRST, pictures)
    bank, pool = worker.lists.ignored, worker.pool
    close = closer(prepared, pictures, wanted, answered.unsettled, bank=bank, pool=pool)
    return {"answered": answered, "prepared": close}


def _take_over(worker: Worker, chunk: int) -> Mapping[str, Part]:
    """Returns the answers of a chunk of which nothing is looked at closer."""
    return _with_contents(worker, chunk, worker.files.read(chunk_file(PREPARED, chunk, CLOSE), "answered", Answered))


def _finish(worker: Worker, chunk: int) -> Mapping[str, Part]:
    """Returns the answers of both looks."""
    first = worker.files.read(chunk_file(PREPARED, chunk, CLOSE), "answered", Answered)
    closer_look, _, _ = _answered(worker, chunk, CLOSE, pictures_of(worker, chunk))
    return _with_contents(worker, chunk, first.with_closer(closer_look))


def _answered(worker: Worker, chunk: int, look: int, pictures: Pictures) -> tuple[Answered, Prepared, Wanted]:
    files, plan = worker.files, worker.plan
    prepared = files.read(chunk_file(PREPARED, chunk, look), "prepared", Prepared)
    wanted = files.read(chunk_file(WANTED, chunk, look), "wanted", Wanted)
    fetched = [files.read(group_file(FETCHED, chunk, look, group), "fetched", Fetched) for group in plan.groups]
    worker.lists.refresh()
    answered = answer(
        prepared,
        pictures,
        wanted,
        merge_fetched(fetched),
        described=worker.described,
        lists=worker.lists,
        options=plan.match,
        pool=worker.pool,
    )
    return answered, prepared, wanted


def _with_contents(worker: Worker, chunk: int, answered: Answered) -> Mapping[str, Part]:
    """Returns the parts of a file of answers: with the contents of the queries that have an answer of their own."""
    contents = worker.files.read(chunk_file(PREPARED, chunk, FIRST), "contents", Contents)
    return {"answered": answered, "contents": contents}
