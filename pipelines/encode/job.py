"""Encodes an archive: photos → embedding shards, rejects and run.json, every photo accounted for."""

import tempfile
from collections.abc import Callable
from dataclasses import replace

import apache_beam as beam

from foundation.archives.archive import open_archive
from foundation.store.encoder_choice import choose_encoder
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.runs import Run, read_run
from foundation.store.shipped import with_shipped
from foundation.store.snapshots import live_snapshot
from pipelines.encode.catalog import read_catalog
from pipelines.encode.encode_photos import EncodePhotos
from pipelines.encode.inventory import count_chunks, write_inventory
from pipelines.encode.plan import EncodeOptions, plan_run, require_apart
from pipelines.encode.write_run import WriteRun
from pipelines.runners.progress import read_progress
from pipelines.runners.run import create_pipeline, run_to_end

Progress = Callable[[int, int, int], None]
"""Called with (listed, embedded, rejected)."""


def encode(options: EncodeOptions, *, on_progress: Progress | None = None) -> Run:
    """Runs the job and returns the finished run, as run.json describes it.

    Raises InputNotFoundError, ArtifactRefusedError, TemporaryError or UsageError; without run.json the directory of a
    failed run is never read.
    """
    # Everything a user can get wrong is checked before the listing, which may take minutes: flags of Beam first.
    pipeline = create_pipeline(options.runner, workers=options.workers, beam_flags=options.beam_flags)
    archive = open_archive(options.archive, data_dir=options.data_dir)
    require_apart(archive, options.store)
    catalog = read_catalog(options.catalog) if options.catalog else None
    # Made where there is none: with the shipped encoder an archive can be encoded without any training.
    store = Store(options.store, create=True)
    spec, digest = choose_encoder(store, with_shipped(store, options.encoder), live_snapshot(store))
    run = plan_run(archive, spec, digest, dtype=options.dtype, features=options.features)
    # The launcher lists, and the workers read chunks of the listing: a pattern expanded inside of Beam is listed by one
    # worker as well, and leaves nothing to compare the next run with.
    listing = write_inventory(store, run.inventory, archive, catalog=catalog, chunk_photos=options.chunk_photos)
    run = replace(
        run,
        accounting=replace(run.accounting, listed=listing.photos),
        photos_in_catalog=listing.in_catalog if options.catalog else None,
    )
    # A local run blocks until its end and shares no memory with worker processes: they count into files of this folder.
    with tempfile.TemporaryDirectory(prefix="firstseen-progress-") as directory:
        add_steps(pipeline, store, run, spec, options, progress_directory=directory)
        run_to_end(
            pipeline, on_progress=on_progress and (lambda: on_progress(listing.photos, *read_progress(directory)))
        )
    # A pipeline returns nothing: what it did is what it wrote.
    finished, _ = read_run(store, run.encoder_id, run.run_id)
    return finished


def add_steps(
    pipeline: beam.Pipeline,
    store: Store,
    run: Run,
    spec: EncoderSpec,
    options: EncodeOptions,
    *,
    progress_directory: str,
) -> None:
    """Adds the whole job to the pipeline. Only chunk numbers, hashes, photo_ids and file names cross a shuffle."""
    encoded = (
        pipeline
        | "ListChunks" >> beam.Create(range(count_chunks(store, run.inventory)))
        | "EncodePhotos"
        >> EncodePhotos(store, run, spec, batch_size=options.batch_size, progress_directory=progress_directory)
    )
    _ = encoded | "WriteRun" >> WriteRun(store, run, rows_per_shard=options.rows_per_shard)
