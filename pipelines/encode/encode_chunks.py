"""Runs the pipeline that encodes the chunks of a run: numbers in, numbers out, on as many workers as there are."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any

import apache_beam as beam

from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.runs import Run
from pipelines.encode.chunks import EncodeChunk
from pipelines.encode.done_chunks import DoneChunks
from pipelines.encode.outcomes import outcome_paths
from pipelines.encode.plan import EncodeOptions
from pipelines.encode.work import Work
from pipelines.runners.dataflow import resource_hints
from pipelines.runners.names import LOCAL
from pipelines.runners.progress import Counts, add_up, read_progress
from pipelines.runners.reported import ErrorReport, unshared
from pipelines.runners.run import create_pipeline, run_to_end

# 350 MB were measured with two decoder processes and photos of 21 megapixels, and 70 MB come with each process more.
# The rest is for four processes that each hold a photo of the greatest size taken: 300 megapixels in three bytes.
MEMORY_BYTES = 5_000_000_000


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
    """Encodes the chunks of the work; what they came to lies in the store when it is done, or when it is cut off.

    Raises UsageError if chunks were left undone, as where not all workers see the store.
    """
    hints = resource_hints(options.runner, memory_bytes=MEMORY_BYTES, accelerator=options.accelerator)
    pipeline = create_pipeline(options.runner, workers=options.workers, beam_flags=options.beam_flags)
    tell = partial(_tell, on_progress, photos)
    with _followed(store, run, work, tell, runner=options.runner) as (directory, look):
        add_steps(
            pipeline, store, run, spec, work, batch_size=options.batch_size, progress_directory=directory, hints=hints
        )
        report = ErrorReport.beside(store, work.path)
        run_to_end(pipeline, report=report, on_progress=look)
        undone = work.chunks - len(outcome_paths(store, run.directory, attempt=work.attempt))
        if undone > 0:
            raise unshared(report, f"{undone} of {work.chunks} chunks not encoded", runner=options.runner)


def _numbers(chunks: int) -> Iterator[int]:
    yield from range(chunks)


def _tell(on_progress: Callable[[int, int, int], None], photos: int, counts: Counts) -> None:
    on_progress(photos, *counts)


@contextmanager
def _followed(
    store: Store, run: Run, work: Work, tell: Callable[[Counts], None], *, runner: str
) -> Iterator[tuple[str | None, Callable[[], None]]]:
    """Yields a directory that workers count into, if they share one with the launcher, and what looks how far it is."""
    if runner == LOCAL:
        with tempfile.TemporaryDirectory(prefix="firstseen-progress-") as directory:
            yield directory, lambda: tell(add_up(read_progress(directory).values()))
    else:
        # Workers on other machines share nothing with the launcher but the store.
        done = DoneChunks(store, run.directory, work.attempt)
        yield None, lambda: tell(done.look())
        tell(done.look(at_once=True))


def add_steps(
    pipeline: beam.Pipeline,
    store: Store,
    run: Run,
    spec: EncoderSpec,
    work: Work,
    *,
    batch_size: int,
    progress_directory: str | None,
    hints: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Adds the whole job to the pipeline; only chunk numbers cross its one shuffle.

    `hints` are what the step that embeds needs of its worker, as `resource_hints` returns them.
    """
    encode = EncodeChunk(store, run, spec, work, batch_size=batch_size, progress_directory=progress_directory)
    # The numbers are made by a step, since those of a billion photos would make a graph of 20 MB. All of them come from
    # one worker, and a runner fuses that step with all that follows: without this shuffle one worker would encode the
    # whole archive. Flink spreads the work at the first Reshuffle only.
    _ = (
        pipeline
        | "CountChunks" >> beam.Create([work.chunks])
        | "ListChunks" >> beam.FlatMap(_numbers)
        | "SpreadChunks" >> beam.Reshuffle()
        | "EncodeChunk" >> beam.ParDo(encode).with_resource_hints(**hints)
    )
