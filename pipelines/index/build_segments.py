"""Builds several segments on as many workers as there are: plans in, and their references handed to the launcher."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import apache_beam as beam

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store import artifact
from foundation.store.builds import begun_build, build_path, take_build, write_build
from foundation.store.files import Store
from foundation.store.segments import SegmentReference, read_segment, require_files, segment_directory
from pipelines.index.plan import SegmentPlan
from pipelines.runners.dataflow import THREADS, require_shared, resource_hints
from pipelines.runners.reported import ErrorReport, unshared
from pipelines.runners.run import create_pipeline, run_to_end

# The number of a planned segment, and how a snapshot names it: None if it would hold nothing.
Built = tuple[int, SegmentReference | None]


def build_in_parallel(
    store: Store,
    plans: Sequence[SegmentPlan],
    build: Callable[[SegmentPlan], Built],
    *,
    memory_limit_bytes: int | None,
    runner: str,
    workers: int,
    beam_flags: list[str],
) -> list[SegmentReference]:
    """Runs the pipeline that builds the planned segments; returns those that hold anything, in the plan's order.

    Raises UsageError if segments are missing, as where not all workers see the store.
    """
    require_shared(runner, beam_flags, store.uri)
    # Segments are planned so that building one keeps within the limit, and each thread of a worker may build one.
    hints = resource_hints(runner, memory_bytes=memory_limit_bytes and THREADS * memory_limit_bytes)
    pipeline = create_pipeline(runner, workers=workers, beam_flags=beam_flags)
    # A name of this attempt alone: another index of the same store, running now, hands over under another one.
    build_id = artifact.fresh_name()
    with begun_build(store, build_id) as begun:
        report = ErrorReport.beside(store, begun)
        built = (
            pipeline
            | "ListSegments" >> beam.Create(plans)
            # Otherwise Create and the build are fused, and one worker builds every segment after the other.
            | "SpreadSegments" >> beam.Reshuffle()
            | "BuildSegment" >> beam.FlatMap(_build_reporting, build=build, report=report).with_resource_hints(**hints)
        )
        _ = (
            pipeline
            | "Finish" >> beam.Create([build_id])
            | "WriteBuild" >> beam.Map(_write_build, beam.pvalue.AsIter(built), planned=len(plans), report=report)
        )
        run_to_end(pipeline, report=report)
        if not store.exists(build_path(build_id)):
            raise unshared(report, f"not all of {len(plans)} segments built", runner=runner)
        segments = take_build(store, build_id)
        _require_here(report, segments, runner=runner)
        return segments


def _require_here(report: ErrorReport, segments: Sequence[SegmentReference], *, runner: str) -> None:
    """Raises UsageError unless the segments lie in the store as the launcher sees it: they are published next."""
    for one in segments:
        try:
            require_files(report.store, [read_segment(report.store, one)])
        except (ArtifactRefusedError, InputNotFoundError) as error:
            raise unshared(
                report, f"{segment_directory(one.segment_id)} missing, or not whole", runner=runner
            ) from error


def _build_reporting(
    plan: SegmentPlan, *, build: Callable[[SegmentPlan], Built], report: ErrorReport
) -> Iterator[Built]:
    """Yields what a plan comes to; nothing once the job has failed, whose launcher then raises what was reported.

    Nor on a machine that has another folder of the store's name, such as a copy: what is built there nobody finds.
    """
    with report.reporting():
        if report.sees_work() and not report.is_there():
            yield build(plan)


def _write_build(build_id: str, built: Iterable[Built], *, planned: int, report: ErrorReport) -> None:
    """Hands the segments to the launcher in the order of the plan: a pipeline returns nothing by itself.

    Publishing is the launcher's and no step's: Beam may run a step twice, and a late attempt would publish again.
    """
    ordered = sorted(built, key=lambda numbered: numbered[0])
    # Of workers that do not see the store there is nothing, and the rest alone would be published as if it was all.
    with report.reporting():
        if len(ordered) == planned and report.sees_work():
            write_build(report.store, build_id, [reference for _, reference in ordered if reference])
