"""Fetches from a group of segments what chunks of queries are compared and answered with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from itertools import islice

from pipelines.lookup.files import Part
from pipelines.lookup.names import FETCHED, WANTED, chunk_file, group_file
from pipelines.lookup.plan import Group
from pipelines.lookup.search_group import Piece
from pipelines.lookup.step import Step
from pipelines.lookup.worker import Job, Worker
from serving.batch.fetched import fetch
from serving.batch.told import Told, tell
from serving.batch.wanted import Wanted

# Chunks for which the tables of a group are read together. Of a large archive each wants a row here and there: one by
# one they would read as many row groups as rows. Some 50 MB are in memory.
CHUNKS_TOGETHER = 16


class FetchGroup(Step):
    """(group and piece, its chunks) → (chunk, group) for each, once what the group has of it is in the store."""

    def __init__(self, job: Job, look: int):
        super().__init__(job)
        self._look = look

    def process(self, piece: Piece) -> Iterator[tuple[int, tuple[int, int]]]:
        """Fetches what each of the chunks wants of the group unless that was done before."""
        (first, end, _), chunks = piece
        group = Group(first, end)
        left = iter(sorted(chunks))
        with self.worker.turn():
            while together := list(islice(left, CHUNKS_TOGETHER)):
                told = cache(partial(_told, self.worker, together, self._look, group))
                for chunk in together:
                    name = group_file(FETCHED, chunk, self._look, group)
                    make = partial(_fetch, self.worker, chunk, self._look, group, told)
                    if self.once(name, make, queries=self.worker.plan.size(chunk)):
                        yield chunk, (first, end)


def _told(worker: Worker, chunks: Sequence[int], look: int, group: Group) -> Told:
    with worker.group(group) as segments:
        return tell(segments, [_wanted(worker, chunk, look) for chunk in chunks])


def _fetch(worker: Worker, chunk: int, look: int, group: Group, told: Callable[[], Told]) -> Mapping[str, Part]:
    wanted, said = _wanted(worker, chunk, look), told()
    with worker.group(group) as segments:
        return {"fetched": fetch(segments, wanted, said)}


def _wanted(worker: Worker, chunk: int, look: int) -> Wanted:
    return worker.files.read(chunk_file(WANTED, chunk, look), "wanted", Wanted)
