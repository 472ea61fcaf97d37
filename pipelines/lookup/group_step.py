"""Does what is done for each chunk of queries and each group of segments: a worker opens the group it is given once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import ClassVar

from pipelines.lookup.files import Part
from pipelines.lookup.names import group_file
from pipelines.lookup.plan import Group
from pipelines.lookup.step import Step
from pipelines.lookup.worker import Job

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
