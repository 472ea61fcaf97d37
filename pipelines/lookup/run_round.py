"""Runs the pipeline that answers the chunks of a round: numbers cross its shuffles, everything else lies in files."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import apache_beam as beam

from pipelines.lookup.answer_chunk import AnswerChunk
from pipelines.lookup.fetch_group import FetchGroup
from pipelines.lookup.group_step import pieces_of
from pipelines.lookup.merge_chunk import MergeChunk
from pipelines.lookup.names import CLOSE, FIRST
from pipelines.lookup.plan import LookupOptions
from pipelines.lookup.prepare_chunk import PrepareChunk
from pipelines.lookup.search_group import SearchGroup
from pipelines.lookup.worker import Job
from pipelines.runners.dataflow import require_shared, resource_hints
from pipelines.runners.run import create_pipeline, run_to_end


def run_round(job: Job, chunks: Sequence[int], options: LookupOptions, *, on_progress: Callable[[], None]) -> None:
    """Answers the chunks; their answers lie in the store when it is done, and working files if it is cut off."""
    require_shared(options.runner, options.beam_flags, job.store.uri)
    # Groups of segments are planned so that a worker has room for one within the limit.
    hints = resource_hints(options.runner, memory_bytes=options.limit_bytes)
    pipeline = create_pipeline(options.runner, workers=options.workers, beam_flags=list(options.beam_flags))
    add_steps(pipeline, job, chunks, hints=hints)
    run_to_end(pipeline, report=job.report, on_progress=on_progress)


def add_steps(
    pipeline: beam.Pipeline, job: Job, chunks: Sequence[int], *, hints: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Adds the whole job to the pipeline; `hints` are what the steps that open segments need of their workers."""
    # The numbers come from one Create, which a runner fuses with all that follows: without this shuffle one worker
    # would prepare the whole round. Flink spreads the work at the first Reshuffle only.
    prepared = (
        pipeline
        | "ListChunks" >> beam.Create(chunks)
        | "SpreadChunks" >> beam.Reshuffle()
        | "PrepareChunk" >> beam.ParDo(PrepareChunk(job))
    )
    left_open = prepared | "FirstLook" >> Look(job, FIRST, hints)
    _ = left_open | "CloserLook" >> Look(job, CLOSE, hints)


class Look(beam.PTransform):
    """Chunks that ask something → those of which some queries have to be looked at closer."""

    def __init__(self, job: Job, look: int, hints: Mapping[str, Any]):
        super().__init__()
        self._job, self._look, self._hints = job, look, hints

    def expand(self, chunks):
        """Searches all segments group by group, then fetches from them what was chosen, then answers."""
        job, look = self._job, self._look
        spread = {"groups": job.plan.groups, "slices": job.plan.slices}
        return (
            chunks
            # All chunks come to a worker together: it opens the group that it is given once.
            | "ToGroups" >> beam.FlatMap(pieces_of, **spread)
            | "ByGroup" >> beam.GroupByKey()
            | "SearchGroup" >> beam.ParDo(SearchGroup(job, look)).with_resource_hints(**self._hints)
            | "ByChunk" >> beam.GroupByKey()
            | "MergeChunk" >> beam.ParDo(MergeChunk(job, look))
            | "ToGroupsAgain" >> beam.FlatMap(pieces_of, **spread)
            | "ByGroupAgain" >> beam.GroupByKey()
            | "FetchGroup" >> beam.ParDo(FetchGroup(job, look)).with_resource_hints(**self._hints)
            | "ByChunkAgain" >> beam.GroupByKey()
            | "AnswerChunk" >> beam.ParDo(AnswerChunk(job, look))
        )
