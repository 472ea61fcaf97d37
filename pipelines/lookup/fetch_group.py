"""Fetches from a group of segments what chunks of queries are compared and answered with."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from pipelines.lookup.files import Part
from pipelines.lookup.names import FETCHED, WANTED, chunk_file
from pipelines.lookup.plan import Group
from pipelines.lookup.search_group import GroupStep
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
        told = cache(partial(_told, self.worker, chunks, self._look, group))
        return partial(_fetch, self.worker, self._look, group, told)


def _told(worker: Worker, chunks: Sequence[int], look: int, group: Group) -> Told:
    with worker.group(group) as segments:
        return tell(segments, [_wanted(worker, chunk, look) for chunk in chunks])


def _fetch(worker: Worker, look: int, group: Group, told: Callable[[], Told], chunk: int) -> Mapping[str, Part]:
    wanted, said = _wanted(worker, chunk, look), told()
    with worker.group(group) as segments:
        return {"fetched": fetch(segments, wanted, said)}


def _wanted(worker: Worker, chunk: int, look: int) -> Wanted:
    return worker.files.read(chunk_file(WANTED, chunk, look), "wanted", Wanted)
