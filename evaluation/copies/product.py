"""Runs the product as its users do: encode, index and look up, in a store of the evaluation's own."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import numpy as np
from pydantic import TypeAdapter

from evaluation.copies.answered import Answered, from_answers
from evaluation.copies.photos import KEY_LETTERS
from evaluation.copies.plan import Plan
from evaluation.copies.result import BuildCosts, LookupCosts
from evaluation.copies.stages import time_stages
from foundation.errors import UsageError
from foundation.files import replace_file
from foundation.store.encoders import ENCODER_DESCRIPTION, encoder_directory, read_spec
from foundation.store.files import Store
from foundation.store.segments import (
    CHANGED_HASHES,
    CHANGES,
    CONTENT_HASHES,
    PHOTOS,
    REMOVED_HASHES,
    Segment,
    read_segment,
    segment_directory,
    whole_hash,
)
from foundation.store.snapshots import Snapshot, read_snapshot, snapshot_numbers
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from serving.searcher import Searcher

# Written last: a store with it is whole.
COSTS = "costs.json"
LOCAL, LOCAL_SCANN, LOCAL_DESCRIPTORS = "local/", "local/scann/", "local/descriptors"
# Queries that are asked one at a time, for the time that a single lookup takes.
ASKED_ALONE = 50
TOLD_EVERY = 500


@dataclass(frozen=True)
class Built:
    """A store that answers: its snapshots, each with one archive more, and what each of them took to make."""

    store: Store
    snapshots: list[Snapshot]
    costs: list[BuildCosts]


def copy_encoder(source: Store, encoder_id: str, target: Store) -> None:
    """Copies one encoder from store to store, byte by byte; raises InputNotFoundError if it is not there."""
    spec, _ = read_spec(source, encoder_id)
    directory = encoder_directory(encoder_id)
    description = f"{directory}/{ENCODER_DESCRIPTION}"
    with source.local_copy(directory, list(spec.files)) as files:
        for name in spec.files:
            target.upload(f"{directory}/{name}", files / name)
    # The last file makes the encoder exist; another program may have written it, with fields that this one drops.
    target.create(description, source.read(description))


def build(folder: Path, archives: Sequence[tuple[str, Path | None]], *, encoder: tuple[Store, str] | None) -> Built:
    """Encodes and indexes each archive, given with its catalog, into a store in `folder`, one snapshot for each.

    Without an encoder, the product's default is used. What an earlier call finished is used as it is; what it did not
    finish is made anew.
    """
    done = folder / COSTS
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        store = Store(folder, create=True)
        if encoder:
            copy_encoder(*encoder, store)
        costs = [_add(store, archive, catalog, encoder[1] if encoder else None) for archive, catalog in archives]
        replace_file(done, TypeAdapter(list[BuildCosts]).dump_json(costs))
    store = Store(folder)
    snapshots = [read_snapshot(store, number) for number in snapshot_numbers(store)]
    return Built(store, snapshots, TypeAdapter(list[BuildCosts]).validate_json(done.read_bytes()))


def require_apart(plan: Plan, built: Built) -> None:
    """Raises UsageError if a photo of the evaluation lies among the distractors, where it would be found unasked."""
    first, *larger = built.snapshots
    of_archive = {segment.segment_id for segment in first.segments}
    added = [one.segment_id for snapshot in larger for one in snapshot.segments if one.segment_id not in of_archive]
    if shared := len(plan.photos.keys() & {key for name in added for key in _keys(built.store, name)}):
        raise UsageError(
            f"--distractors holds {shared:,} of the photos to evaluate with; expected other ones: take these out of it"
        )


def _keys(store: Store, segment_id: str) -> Iterator[str]:
    with store.open(f"{segment_directory(segment_id)}/{CONTENT_HASHES}") as file:
        contents = np.load(file, allow_pickle=False)
    return (whole_hash(content).hex()[:KEY_LETTERS] for content in contents)


def _add(store: Store, archive: str, catalog: Path | None, encoder_id: str | None) -> BuildCosts:
    started, started_cores = time.perf_counter(), time.process_time()
    run = encode(EncodeOptions(archive=archive, store=store.uri, encoder=encoder_id, catalog=catalog)).run
    encoded, encoded_cores = time.perf_counter(), time.process_time()
    build_index(store, encoder=run.encoder_id)
    return BuildCosts(
        photos=run.accounting.embedded,
        encode_seconds=encoded - started,
        encode_core_seconds=encoded_cores - started_cores,
        index_seconds=time.perf_counter() - encoded,
    )


def ask(
    store: Store, snapshot: Snapshot, queries: Sequence[Path], *, tell: Callable[[str], None]
) -> tuple[list[Answered], LookupCosts]:
    """Asks all queries of one snapshot, in batches, and some of them again one at a time; returns what it took too."""
    started = time.perf_counter()
    with Searcher.open(store, snapshot=snapshot.number) as searcher:
        opened, opened_cores = time.perf_counter(), time.process_time()
        answered = []
        for answers in searcher.lookup(queries):
            answered.append(from_answers(answers))
            if len(answered) % TOLD_EVERY == 0:
                tell(f"  {len(answered):,} asked")
        batch_ms, core_ms = (
            1_000 * (now - then) / len(queries)
            for now, then in ((time.perf_counter(), opened), (time.process_time(), opened_cores))
        )
        some = queries[:: max(1, len(queries) // ASKED_ALONE)]
        alone = list(_milliseconds_alone(searcher, some))
    return answered, LookupCosts(
        open_seconds=opened - started,
        batch_ms=batch_ms,
        batch_core_ms=core_ms,
        one_ms=median(alone),
        one_slow_ms=quantiles(alone, n=10)[-1] if len(alone) > 1 else alone[0],
        stages=time_stages(store, snapshot, some),
        **bytes_per_photo([read_segment(store, reference) for reference in snapshot.segments]),
    )


def _milliseconds_alone(searcher: Searcher, queries: Sequence[Path]) -> Iterator[float]:
    """Yields the time of one lookup after the other."""
    for query in queries:
        started = time.perf_counter()
        list(searcher.lookup([query]))
        yield 1_000 * (time.perf_counter() - started)


def bytes_per_photo(segments: Sequence[Segment]) -> dict[str, float]:
    """Returns the size of the index by what reads it, in bytes per row: see LookupCosts."""
    sizes = {"search_bytes": 0, "verification_bytes": 0, "table_bytes": 0}
    for segment in segments:
        for name, file in segment.files.items():
            sizes[_read_by(name, segment)] += file.size_bytes
    rows = max(1, sum(segment.rows for segment in segments))
    return {part: size / rows for part, size in sizes.items()}


def _read_by(name: str, segment: Segment) -> str:
    if name in (PHOTOS, CONTENT_HASHES, CHANGES, CHANGED_HASHES, REMOVED_HASHES):
        return "table_bytes"
    # Local features are searched by ScaNN's form of them where there is one; without it, the descriptors are.
    searched = LOCAL_SCANN if any(other.startswith(LOCAL_SCANN) for other in segment.files) else LOCAL_DESCRIPTORS
    is_verified = name.startswith(LOCAL) and not name.startswith(searched)
    return "verification_bytes" if is_verified else "search_bytes"
