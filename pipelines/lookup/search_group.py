"""Searches a group of segments for chunks of queries: each worker opens the group that it is given once."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from pipelines.lookup.files import Part
from pipelines.lookup.names import FOUND, PREPARED, chunk_file, group_file
from pipelines.lookup.plan import Group
from pipelines.lookup.step import Step
from pipelines.lookup.worker import Job, Worker
from serving.batch.found import search
from serving.batch.prepared import Prepared

# A group and the number of a piece of its work: plain numbers, which every runner can sort and group by.
Key = tuple[int, int, int]
Piece = tuple[Key, Iterable[int]]


def pieces_of(chunk: int, *, groups: tuple[Group, ...], slices: int) -> Iterator[tuple[Key, int]]:
    """Yields the chunk for each group of segments, keyed by the group and the piece of its work."""
    return (((group.first, group.end, chunk % slices), chunk) for group in groups)


class SearchGroup(Step):
    """(group and piece, its chunks) → (chunk, group) for each, once what the group holds near it is in the store."""

    def __init__(self, job: Job, look: int):
        super().__init__(job)
        self._look = look

    def process(self, piece: Piece) -> Iterator[tuple[int, tuple[int, int]]]:
        """Searches the group for each of the chunks unless that was done before."""
        (first, end, _), chunks = piece
        group = Group(first, end)
        with self.worker.turn():
            for chunk in sorted(chunks):
                name = group_file(FOUND, chunk, self._look, group)
                make = partial(_search, self.worker, chunk, self._look, group)
                if self.once(name, make, queries=self.worker.plan.size(chunk)):
                    yield chunk, (first, end)


def _search(worker: Worker, chunk: int, look: int, group: Group) -> Mapping[str, Part]:
    prepared = worker.files.read(chunk_file(PREPARED, chunk, look), "prepared", Prepared)
    with worker.group(group) as segments:
        return {"found": search(segments, prepared, k=worker.plan.match.top_k, pool=worker.pool)}
