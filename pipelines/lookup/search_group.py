"""Searches a group of segments for chunks of queries: each worker opens the group that it is given once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import ClassVar

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


class GroupStep(Step):
    """(group and piece, its chunks) → (chunk, group) for each, once its file of the group is in the store."""

    stage: ClassVar[str]
    # Chunks for which a file is made with what `maker` finds out once.
    chunks_together: ClassVar[int] = 1

    def __init__(self, job: Job, look: int):
        super().__init__(job)
        self._look = look

    def maker(self, chunks: Sequence[int], group: Group) -> Callable[[int], Mapping[str, Part]]:
        """Returns what makes the parts of the file of one of these chunks."""
        raise NotImplementedError

    def process(self, piece: Piece) -> Iterator[tuple[int, tuple[int, int]]]:
        """Makes the file of each of the chunks unless that was done before."""
        (first, end, _), chunks = piece
        group, left = Group(first, end), iter(sorted(chunks))
        with self.worker.turn():
            while together := list(islice(left, self.chunks_together)):
                make = self.maker(together, group)
                for chunk in together:
                    name = group_file(self.stage, chunk, self._look, group)
                    if self.once(name, partial(make, chunk), queries=self.worker.plan.size(chunk)):
                        yield chunk, (first, end)


class SearchGroup(GroupStep):
    """Finds what the group holds near each of the chunks."""

    stage = FOUND

    def maker(self, _chunks: Sequence[int], group: Group) -> Callable[[int], Mapping[str, Part]]:
        """Returns what searches the group for a chunk."""
        return partial(_search, self.worker, self._look, group)


def _search(worker: Worker, look: int, group: Group, chunk: int) -> Mapping[str, Part]:
    prepared = worker.files.read(chunk_file(PREPARED, chunk, look), "prepared", Prepared)
    with worker.group(group) as segments:
        return {"found": search(segments, prepared, k=worker.plan.match.top_k, pool=worker.pool)}
