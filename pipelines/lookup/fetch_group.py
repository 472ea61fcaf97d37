"""Fetches from a group of segments what chunks of queries are compared and answered with."""

from collections.abc import Iterator, Mapping
from functools import partial

from pipelines.lookup.files import Part
from pipelines.lookup.names import FETCHED, WANTED, chunk_file, group_file
from pipelines.lookup.plan import Group
from pipelines.lookup.search_group import Piece
from pipelines.lookup.step import Step
from pipelines.lookup.worker import Job, Worker
from serving.batch.fetched import fetch
from serving.batch.wanted import Wanted


class FetchGroup(Step):
    """(group and piece, its chunks) → (chunk, group) for each, once what the group has of it is in the store."""

    def __init__(self, job: Job, look: int):
        super().__init__(job)
        self._look = look

    def process(self, piece: Piece) -> Iterator[tuple[int, tuple[int, int]]]:
        """Fetches what each of the chunks wants of the group unless that was done before."""
        (first, end, _), chunks = piece
        group = Group(first, end)
        for chunk in sorted(chunks):
            name = group_file(FETCHED, chunk, self._look, group)
            make = partial(_fetch, self.worker, chunk, self._look, group)
            if self.once(name, make, queries=self.worker.plan.size(chunk)):
                yield chunk, (first, end)


def _fetch(worker: Worker, chunk: int, look: int, group: Group) -> Mapping[str, Part]:
    wanted = worker.files.read(chunk_file(WANTED, chunk, look), "wanted", Wanted)
    with worker.group(group) as segments:
        segments.refresh()
        return {"fetched": fetch(segments, wanted)}
