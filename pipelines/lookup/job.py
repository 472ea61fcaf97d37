"""Looks a list of queries up by a Beam job: list → rounds of chunks → answers, resumable, in the order of the list."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from foundation.errors import FirstseenError, InputNotFoundError, TemporaryError, TranslatedOnlyError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.lookups import begin_lookup, end_lookup, is_begun, lookup_directory
from foundation.store.snapshots import Snapshot
from pipelines.lookup.contents import Hashes
from pipelines.lookup.files import MAGIC, Work
from pipelines.lookup.in_order import InOrder
from pipelines.lookup.memory import FIXED_BYTES, bytes_to_open, require_room
from pipelines.lookup.plan import Group, LookupOptions, Plan, plan_groups, plan_slices
from pipelines.lookup.progress import OnProgress
from pipelines.lookup.results import Results
from pipelines.lookup.rounds import Rounds
from pipelines.lookup.withdrawn import Withdrawn
from pipelines.lookup.work_file import WORK_FILE, Written, write_queries
from pipelines.lookup.worker import GONE, Job
from pipelines.runners.dataflow import require_shared
from pipelines.runners.names import check_runner
from serving.answers import Answer
from serving.batch.described import DescribedSnapshot
from serving.batch.open_segments import find_gone
from serving.queries import Listed


@dataclass(frozen=True)
class Listeners:
    """Who is told how far a lookup is: how many queries are listed so far, and how many are answered."""

    on_listed: Callable[[int], None] = lambda listed: None
    on_progress: OnProgress = lambda progress: None


@dataclass(frozen=True)
class LookedUp:
    """A lookup whose queries are all answered: `answers` yields them in their order, see `Results.answers`.

    `seconds` says what each stage took of all workers together, those of processes that were cut off included.
    """

    snapshot: Snapshot
    queries: int
    seconds: Mapping[str, float]
    answers: Callable[..., Iterator[list[Answer]]]


@contextmanager
def look_up(
    listed: Iterable[Listed],
    options: LookupOptions,
    listeners: Listeners = Listeners(),
) -> Iterator[LookedUp]:
    """Answers the queries, and yields them answered; what was written meanwhile is removed if the block ends well.

    A lookup that was cut off is gone on with by the same queries and options. Raises UsageError, InputNotFoundError,
    ArtifactRefusedError, and TemporaryError if another process is at the same lookup.
    """
    workers = check_runner(options.runner, workers=options.workers, beam_flags=list(options.beam_flags))
    options = replace(options, workers=workers)
    require_shared(options.runner, options.beam_flags, options.store)
    store = Store(options.store)
    described = DescribedSnapshot.read(store, options.snapshot)
    groups = groups_of(described, options)
    with tempfile.TemporaryDirectory(prefix="firstseen-") as name:
        folder = Path(name)
        written = write_queries(
            folder / WORK_FILE,
            reachable(listed, options),
            per_chunk=options.queries_per_chunk,
            on_listed=listeners.on_listed,
        )
        plan = plan_lookup(described, written, groups, options)
        is_new = not is_begun(store, plan.lookup_id)
        begin_lookup(store, plan.lookup_id, snapshot=plan.snapshot)
        with naming_removal(store, plan.lookup_id):
            job = Job(store, plan)
            lay_out(job, described, folder / WORK_FILE, written)
            rounds = Rounds(job, options, listeners.on_progress)
            try:
                rounds.carry_out()
            except TranslatedOnlyError:
                # What an earlier attempt has answered stays, to be gone on with.
                if is_new:
                    end_lookup(store, plan.lookup_id)
                raise

            def again(names: Sequence[str]) -> InOrder:
                return look_again(job, described, names, options, folder)

            in_order = InOrder(job.files, rounds.owners, plan.chunks)
            results = Results(job, in_order, Withdrawn(store), again)
            yield LookedUp(described.snapshot, plan.queries, rounds.seconds, results.answers)
        end_lookup(store, plan.lookup_id)


def reachable(listed: Iterable[Listed], options: LookupOptions) -> Iterator[Listed]:
    """Passes the queries on; raises UsageError at one that no worker of Dataflow reaches."""
    for one in listed:
        require_shared(options.runner, options.beam_flags, one.name)
        yield one


def look_again(
    job: Job, described: DescribedSnapshot, names: Sequence[str], options: LookupOptions, folder: Path
) -> InOrder:
    """Returns the answers to some queries of a lookup, by a lookup of its own within it: nothing is taken over."""
    lookup_id = f"{job.plan.lookup_id}/again-{artifact.fresh_name()}"
    path = folder / "again.parquet"
    written = write_queries(path, map(Listed, names), per_chunk=options.queries_per_chunk)
    plan = replace(job.plan, lookup_id=lookup_id, queries=written.queries, queries_sha256=written.digest)
    inner = replace(job, plan=plan)
    lay_out(inner, described, path, written)
    rounds = Rounds(inner, options, lambda progress: None)
    rounds.carry_out()
    return InOrder(inner.files, rounds.owners, inner.plan.chunks)


def groups_of(described: DescribedSnapshot, options: LookupOptions) -> tuple[Group, ...]:
    """Returns groups of segments that fit into a worker's memory; raises UsageError if one alone does not."""
    limit = options.limit_bytes
    if limit is not None:
        require_room(described.segments, limit)
    room = None if limit is None else limit - FIXED_BYTES
    return plan_groups([bytes_to_open(one) for one in described.segments], room)


def plan_lookup(
    described: DescribedSnapshot, written: Written, groups: tuple[Group, ...], options: LookupOptions
) -> Plan:
    """Returns the plan, whose lookup_id tells the list, what is asked, and of which snapshot: not how it is run."""
    folder = os.getcwd()
    asked = (MAGIC, written.digest, options.queries_per_chunk, options.match, folder)
    of = (described.snapshot.number, described.snapshot.encoder_digest)
    return Plan(
        lookup_id=hashlib.sha256(repr((asked, of)).encode("utf-8", "surrogateescape")).hexdigest()[:32],
        snapshot=described.snapshot.number,
        queries=written.queries,
        queries_sha256=written.digest,
        queries_per_chunk=options.queries_per_chunk,
        folder=folder,
        match=options.match,
        groups=groups,
        slices=plan_slices(len(groups), options.workers),
    )


def lay_out(job: Job, described: DescribedSnapshot, path: Path, written: Written) -> None:
    """Puts what workers read into the store, unless an earlier attempt did."""
    store, files = job.store, job.files
    if not files.exists(GONE):
        files.create(GONE, {"hashes": Hashes(find_gone(store, described))}, Work(0, 0.0))
    if not files.exists(WORK_FILE) or store.measure(files.path(WORK_FILE))[1] != written.digest:
        store.upload(files.path(WORK_FILE), path)
    # That of a launcher that was killed before it could tell.
    store.delete([job.report.path])


@contextmanager
def naming_removal(store: Store, lookup_id: str) -> Iterator[None]:
    """Raises TemporaryError if another process finished the same lookup meanwhile, and removed what this one reads."""
    directory = lookup_directory(lookup_id)
    try:
        yield
    except FirstseenError as error:
        # It may have looked for what it removes before this process wrote that it begins.
        is_missing = isinstance(error, InputNotFoundError) and directory in str(error)
        if not isinstance(error, TemporaryError | TranslatedOnlyError) and (
            is_missing or not is_begun(store, lookup_id)
        ):
            raise TemporaryError(
                f"another process finished the same lookup meanwhile, and removed {directory}; run again"
            ) from error
        raise
