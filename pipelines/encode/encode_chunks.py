"""Runs the pipeline that encodes the chunks of a run: numbers in, numbers out, on as many workers as there are."""

import tempfile
from collections.abc import Callable

import apache_beam as beam

from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.runs import Run
from pipelines.encode.chunks import EncodeChunk
from pipelines.encode.done_chunks import DoneChunks
from pipelines.encode.plan import EncodeOptions
from pipelines.encode.work import Work
from pipelines.runners.names import LOCAL
from pipelines.runners.progress import add_up, read_progress
from pipelines.runners.reported import ErrorReport
from pipelines.runners.run import create_pipeline, run_to_end


def encode_chunks(
    store: Store,
    run: Run,
    spec: EncoderSpec,
    work: Work,
    options: EncodeOptions,
    *,
    photos: int,
    on_progress: Callable[[int, int, int], None],
) -> None:
    """Encodes the chunks of the work; what they came to lies in the store when it is done, or when it is cut off."""
    pipeline = create_pipeline(options.runner, workers=options.workers, beam_flags=options.beam_flags)
    report = ErrorReport(store, work.error_path)
    if options.runner != LOCAL:
        # Workers on other machines share nothing with the launcher but the store.
        add_steps(pipeline, store, run, spec, work, batch_size=options.batch_size, progress_directory=None)
        done = DoneChunks(store, run.directory, work.attempt)
        run_to_end(pipeline, report=report, on_progress=lambda: on_progress(photos, *done.look()))
        return
    # A local run blocks until its end and shares no memory with worker processes: they count into files of this folder.
    with tempfile.TemporaryDirectory(prefix="firstseen-progress-") as directory:
        add_steps(pipeline, store, run, spec, work, batch_size=options.batch_size, progress_directory=directory)
        run_to_end(
            pipeline, report=report, on_progress=lambda: on_progress(photos, *add_up(read_progress(directory).values()))
        )


def add_steps(
    pipeline: beam.Pipeline,
    store: Store,
    run: Run,
    spec: EncoderSpec,
    work: Work,
    *,
    batch_size: int,
    progress_directory: str | None,
) -> None:
    """Adds the whole job to the pipeline; only chunk numbers cross its one shuffle."""
    encode = EncodeChunk(store, run, spec, work, batch_size=batch_size, progress_directory=progress_directory)
    # The numbers come from one Create, which a runner fuses with all that follows: without this shuffle one worker
    # would encode the whole archive. Flink spreads the work at the first Reshuffle only.
    _ = (
        pipeline
        | "ListChunks" >> beam.Create(range(work.chunks))
        | "SpreadChunks" >> beam.Reshuffle()
        | "EncodeChunk" >> beam.ParDo(encode)
    )
