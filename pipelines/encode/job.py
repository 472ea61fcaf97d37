"""The encode job: a folder of photos → embedding shards, rejects and run.json, every photo accounted for."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import apache_beam as beam

from foundation.archives import folders
from foundation.errors import InputNotFoundError, UsageError
from foundation.photos.photo import DECODE_RULE
from foundation.store import artifact
from foundation.store.encoders import EncoderSpec, list_encoders, read_spec
from foundation.store.files import Store
from foundation.store.runs import INVENTORY, RUN_DESCRIPTION, Accounting, Dtype, Run, read_run, shard_schema
from foundation.store.snapshots import live_snapshot
from pipelines.encode import inventory
from pipelines.encode.catalog import read_catalog
from pipelines.encode.decode_photos import REJECTS, DecodeChunk
from pipelines.encode.duplicates import merge
from pipelines.encode.embed_photos import EmbedBatch
from pipelines.encode.write_shards import CONTENTS, RewriteShard, WriteRejects, WriteShards, WrittenFile
from pipelines.runners.local import LOCAL
from pipelines.runners.progress import read_progress
from pipelines.runners.run import create_pipeline, run_to_end

Progress = Callable[[int, int, int], None]
"""Called with (listed, embedded, rejected)."""


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """What to encode, with what, and where to run it."""

    archive: Path
    store: str
    encoder: str | None = None
    catalog: Path | None = None
    runner: str = LOCAL
    workers: int = 1
    dtype: Dtype = "float32"
    batch_size: int = 64
    chunk_photos: int = inventory.CHUNK_PHOTOS
    rows_per_shard: int = 50_000
    beam_flags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        for name in ("workers", "batch_size", "chunk_photos", "rows_per_shard"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; expected at least 1")
        if self.batch_size > 4_096:
            raise UsageError(f"batch_size is {self.batch_size}; expected at most 4,096: memory grows with it")
        if self.dtype not in get_args(Dtype):
            raise UsageError(f"dtype is {self.dtype!r}; expected one of {', '.join(get_args(Dtype))}")


def encode(options: EncodeOptions, *, on_progress: Progress | None = None) -> Run:
    """Runs the job and returns the finished run.

    Raises InputNotFoundError, ArtifactRefusedError, TemporaryError or UsageError; without run.json the directory of a
    failed run is never read.
    """
    pipeline = create_pipeline(options.runner, workers=options.workers, beam_flags=options.beam_flags)
    folders.check_folder(options.archive)
    store = Store(options.store)
    if store.local_root and store.local_root.resolve().is_relative_to(options.archive.resolve()):
        raise UsageError(f"store {store.uri} lies in the archive {options.archive}; expected it elsewhere: move it")
    spec, digest = choose_encoder(store, options.encoder)
    catalog = read_catalog(options.catalog) if options.catalog else None
    run = plan_run(options, spec, digest)
    listing = inventory.write_inventory(
        store, run.inventory, archive=options.archive, catalog=catalog, chunk_photos=options.chunk_photos
    )
    run = replace(
        run,
        accounting=replace(run.accounting, listed=listing.files),
        photos_in_catalog=listing.in_catalog if options.catalog else None,
    )
    with tempfile.TemporaryDirectory(prefix="firstseen-progress-") as progress:
        build(pipeline, store, run, spec, options, progress=progress)
        run_to_end(pipeline, on_progress=on_progress and (lambda: on_progress(listing.files, *read_progress(progress))))
    finished, _ = read_run(store, run.encoder_id, run.run_id)
    return finished


def choose_encoder(store: Store, encoder_id: str | None) -> tuple[EncoderSpec, str]:
    """Returns (spec, digest) of the encoder asked for, else of the live snapshot's, else of the only one there is."""
    if encoder_id is None:
        live = live_snapshot(store)
        known = [live.encoder_id] if live else list_encoders(store)
        if len(known) != 1:
            remedy = f"choose one with --encoder: {', '.join(known)}" if known else "`firstseen train` makes one"
            raise (UsageError if known else InputNotFoundError)(
                f"store {store.uri} has {len(known)} encoders and no snapshot that names one; {remedy}"
            )
        encoder_id = known[0]
    return read_spec(store, encoder_id)


def plan_run(options: EncodeOptions, spec: EncoderSpec, digest: str) -> Run:
    """Returns the description of a run that has not begun."""
    return Run(
        run_id=artifact.fresh_name(),
        archive=folders.uri_of(options.archive),
        created_at=artifact.now(),
        encoder_id=spec.encoder_id,
        encoder_digest=digest,
        decode_rule=DECODE_RULE,
        dimension=spec.dimension,
        distance=spec.distance,
        dtype=options.dtype,
        accounting=Accounting(listed=0, embedded=0, duplicates=0),
        rows={},
        files={},
        versions={name: version(name) for name in ("apache-beam", "pyarrow", "pillow", "simplejpeg")},
    )


def build(
    pipeline: beam.Pipeline,
    store: Store,
    run: Run,
    spec: EncoderSpec,
    options: EncodeOptions,
    *,
    progress: str,
) -> None:
    """Adds the whole job to the pipeline. Only chunk numbers, hashes and file names cross a shuffle."""
    schema = shard_schema(run.dimension, run.dtype, encoder_digest=run.encoder_digest, run_id=run.run_id)
    decode = DecodeChunk(
        store, run.inventory, size=spec.size, channels=spec.channels, batch_size=options.batch_size, progress=progress
    )
    embed = EmbedBatch(
        store, run.encoder_id, run.encoder_digest, schema, batch_size=options.batch_size, progress=progress
    )
    write = WriteShards(store, run.directory, rows_per_shard=options.rows_per_shard)

    chunks = range(inventory.count_chunks(store, run.inventory))
    decoded = (
        pipeline
        | "ListChunks" >> beam.Create(chunks)
        | "SpreadChunks" >> beam.Reshuffle()
        | "DecodeChunk" >> beam.ParDo(decode).with_outputs(REJECTS, main="photos")
    )
    embedded = decoded.photos | "EmbedBatch" >> beam.ParDo(embed).with_outputs(REJECTS, main="rows")
    written = embedded.rows | "WriteShards" >> beam.ParDo(write).with_outputs(CONTENTS, main="shards")
    rejects = (
        (decoded[REJECTS], embedded[REJECTS])
        | "AllRejects" >> beam.Flatten()
        | "WriteRejects" >> beam.ParDo(WriteRejects(store, run.directory))
    )
    rewritten = (
        written[CONTENTS]
        | "GroupByContent" >> beam.GroupByKey()
        | "MergeDuplicates" >> beam.FlatMapTuple(lambda _, contents: merge(contents))
        | "GroupByShard" >> beam.GroupByKey()
        | "RewriteShard" >> beam.ParDo(RewriteShard(store, run.directory))
    )
    _ = (
        pipeline
        | "Finish" >> beam.Create([run])
        | "WriteRunDescription"
        >> beam.Map(
            finish_run,
            beam.pvalue.AsIter(written.shards),
            beam.pvalue.AsIter(rewritten),
            beam.pvalue.AsIter(rejects),
            store=store,
        )
    )


def finish_run(
    run: Run,
    written: Iterable[WrittenFile],
    rewritten: Iterable[tuple[str, WrittenFile | None]],
    rejects: Iterable[WrittenFile],
    *,
    store: Store,
) -> None:
    """Writes run.json from exactly the files that count; a retry writes the same bytes.

    Raises FirstseenError if a photo is unaccounted for. Shards whose rows were merged are deleted afterwards.
    """
    written, rejects, replaced = list(written), list(rejects), dict(rewritten)
    shards = [shard for shard in written if shard.name not in replaced]
    shards += [shard for shard in replaced.values() if shard]
    embedded = sum(shard.rows for shard in shards)
    reasons = sum((Counter(file.reasons) for file in rejects), Counter())
    accounting = Accounting(
        listed=run.accounting.listed,
        embedded=embedded,
        duplicates=sum(shard.rows for shard in written) - embedded,
        rejected=dict(sorted(reasons.items())),
    )
    accounting.check()
    listing = artifact.record(store, run.directory, [INVENTORY])
    files = listing | {file.name: file.record for file in [*shards, *rejects]}
    rows = {shard.name: shard.rows for shard in shards}
    description = replace(run, accounting=accounting, rows=rows, files=files)
    artifact.finish(store, f"{run.directory}/{RUN_DESCRIPTION}", description)
    store.delete([f"{run.directory}/{name}" for name in replaced])
