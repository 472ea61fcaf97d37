"""Creates a pipeline on a named runner, and runs it with its progress watched and its errors typed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import apache_beam as beam
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions
from apache_beam.runners.runner import PipelineResult

from foundation.errors import TemporaryError, TranslatedOnlyError, UsageError
from pipelines.runners import dataflow, flink
from pipelines.runners.failures import typed_error
from pipelines.runners.flags import check_flags
from pipelines.runners.local import local_runner
from pipelines.runners.names import DATAFLOW, FLINK, LOCAL
from pipelines.runners.reported import ErrorReport

PROGRESS_INTERVAL_SECONDS = 0.5
# What makes a runner of Beam and its flags of a name of this project and the flags that were given.
COMPLETED_BY = {FLINK: flink.complete, DATAFLOW: dataflow.complete}


def create_pipeline(runner: str, *, workers: int = 1, beam_flags: list[str]) -> beam.Pipeline:
    """Returns an empty pipeline on the named runner; `local` is the in-memory one, in `workers` processes.

    Raises UsageError on an unknown runner, and on a flag Beam does not know, which Beam itself drops silently.
    """
    check_flags(beam_flags)
    if complete := COMPLETED_BY.get(runner):
        runner, beam_flags = complete(beam_flags)
    # FnApiRunner reads the number of its workers from an option of the pipeline.
    local = [f"--direct_num_workers={workers}"] if runner == LOCAL else []
    options = PipelineOptions([*local, *beam_flags])
    try:
        return beam.Pipeline(runner=local_runner(workers) if runner == LOCAL else runner, options=options)
    except Exception as error:  # a runner checks its options here, and each fails in a way of its own
        reason = " ".join(str(error).split())[:300]
        raise UsageError(
            f"runner {runner!r} cannot be used ({reason}); expected local, flink, dataflow or a Beam runner "
            "by its name, and its options after `--`"
        ) from error


def parallelism_of(pipeline: beam.Pipeline) -> int | None:
    """Returns how many slots of a cluster the pipeline will take, if that is known."""
    parallelism: int = pipeline.options.view_as(FlinkRunnerOptions).parallelism
    return parallelism if parallelism > 0 else None


def run_to_end(pipeline: beam.Pipeline, *, report: ErrorReport, on_progress: Callable[[], None] | None = None) -> None:
    """Runs the pipeline, calling `on_progress` twice a second.

    Raises the error that a worker reported, and the project's own errors that came through the runner as themselves;
    TranslatedOnlyError if Dataflow was asked for no more than that.
    """
    try:
        with _ticking(on_progress):
            # Portable runners return at once and others at the end; waiting is right for both.
            _wait(pipeline.run(), is_on_dataflow=_is_on_dataflow(pipeline))
    except Exception as error:
        if KeyboardInterrupt.__name__ in str(error):  # it struck while a step was running in this thread
            raise KeyboardInterrupt from error
        # What was reported came first: a step further down may have failed for want of what was not done.
        with suppress(TemporaryError):
            report.settle()
        raise typed_error(error) from error
    report.settle()
    if _is_on_dataflow(pipeline) and (where := dataflow.translated_to(pipeline.options)):
        raise TranslatedOnlyError(f"the job was translated, not run: {where}")


def _wait(result: PipelineResult, *, is_on_dataflow: bool) -> None:
    try:
        result.wait_until_finish()
    except BaseException:
        # Otherwise the machines of a job whose launcher was interrupted go on, and are paid for.
        if is_on_dataflow:
            with suppress(Exception):
                result.cancel()
        raise


def _is_on_dataflow(pipeline: beam.Pipeline) -> bool:
    # The class itself stands on Google's libraries, which need not be there.
    return type(pipeline.runner).__name__ == dataflow.BEAM_NAME


@contextmanager
def _ticking(tick: Callable[[], None] | None) -> Iterator[None]:
    if tick is None:
        yield
        return
    # The pipeline has this thread until its end. An event, and not a sleep, ends the other one without a delay.
    stop = threading.Event()

    def loop() -> None:
        while not stop.wait(PROGRESS_INTERVAL_SECONDS):
            tick()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    tick()
