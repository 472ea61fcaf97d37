"""Merges what all groups of segments hold near a chunk of queries, and chooses what is looked at closer."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from pipelines.lookup.files import Part
from pipelines.lookup.names import FOUND, PREPARED, WANTED, chunk_file, group_file
from pipelines.lookup.plan import Plan
from pipelines.lookup.step import Step
from pipelines.lookup.worker import Job, Worker
from serving.batch.found import Found, merge_found
from serving.batch.prepared import Prepared
from serving.batch.wanted import choose
from serving.match.look import lists_similar


class MergeChunk(Step):
    """(chunk, all groups) → chunk, once it is in the store what is wanted of the segments."""

    # `merge_found` is associative: it could be a CombineFn. But then what was found would cross the shuffle, some ten
    # megabytes a chunk and group (eight neighbours of each of a thousand features of each query), and would be found
    # again by a job that goes on. It lies in files instead, which say at the same time what is done; numbers cross.

    def __init__(self, job: Job, look: int):
        super().__init__(job)
        self._look = look

    def process(self, gathered: tuple[int, Iterable[tuple[int, int]]]) -> Iterator[int]:
        """Merges what was found for the chunk unless that was done before."""
        chunk, groups = gathered
        # One is missing where a worker reported an error.
        if is_whole(groups, self.worker.plan):
            name = chunk_file(WANTED, chunk, self._look)
            make = partial(_merge, self.worker, chunk, self._look)
            if self.once(name, make, queries=self.worker.plan.size(chunk)):
                yield chunk


def is_whole(groups: Iterable[tuple[int, int]], plan: Plan) -> bool:
    """Returns whether all groups of segments are among some, each by its first number and its end."""
    return {tuple(group) for group in groups} == {tuple(group) for group in plan.groups}


def _merge(worker: Worker, chunk: int, look: int) -> Mapping[str, Part]:
    files, plan = worker.files, worker.plan
    prepared = files.read(chunk_file(PREPARED, chunk, look), "prepared", Prepared)
    found = (files.read(group_file(FOUND, chunk, look, group), "found", Found) for group in plan.groups)
    with_similar = lists_similar(plan.match, has_local_features=worker.described.has_local_features)
    return {"wanted": choose(prepared, merge_found(found), with_similar=with_similar)}
