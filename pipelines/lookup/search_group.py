"""Searches a group of segments for chunks of queries."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pipelines.lookup.files import Part
from pipelines.lookup.group_step import GroupStep
from pipelines.lookup.names import FOUND, PREPARED, chunk_file
from pipelines.lookup.plan import Group
from pipelines.lookup.worker import Worker
from serving.batch.found import search
from serving.batch.prepared import Prepared


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
