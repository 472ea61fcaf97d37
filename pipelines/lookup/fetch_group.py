"""Fetches from a group of segments what chunks of queries are compared and answered with."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from pipelines.lookup.files import Part
from pipelines.lookup.group_step import GroupStep
from pipelines.lookup.names import FETCHED, WANTED, chunk_file
from pipelines.lookup.plan import Group
from pipelines.lookup.worker import Worker
from serving.batch.fetched import fetch
from serving.batch.told import Told, tell
from serving.batch.wanted import Wanted

# Chunks for which the tables of a group are read together. Of a large archive each wants a row here and there: one by
# one they would read as many row groups as rows. Some 50 MB are in memory.
CHUNKS_TOGETHER = 16


class FetchGroup(GroupStep):
    """Fetches what each of the chunks wants of the group."""

    stage = FETCHED
    chunks_together = CHUNKS_TOGETHER

    def maker(self, chunks: Sequence[int], group: Group) -> Callable[[int], Mapping[str, Part]]:
        """Returns what fetches for a chunk; the tables are read for all of them at the first one that needs it."""
        wanted = cache(partial(_wanted, self.worker, self._look))
        told = cache(partial(_told, self.worker, group, wanted, chunks))
        return partial(_fetch, self.worker, group, wanted, told)


def _told(worker: Worker, group: Group, wanted: Callable[[int], Wanted], chunks: Sequence[int]) -> Told:
    with worker.group(group) as segments:
        return tell(segments, list(map(wanted, chunks)))


def _fetch(
    worker: Worker, group: Group, wanted: Callable[[int], Wanted], told: Callable[[], Told], chunk: int
) -> Mapping[str, Part]:
    said = told()
    with worker.group(group) as segments:
        return {"fetched": fetch(segments, wanted(chunk), said)}


def _wanted(worker: Worker, look: int, chunk: int) -> Wanted:
    return worker.files.read(chunk_file(WANTED, chunk, look), "wanted", Wanted)
