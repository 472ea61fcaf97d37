"""Looks a list of queries up by a Beam job: list → rounds of chunks → answers, resumable, in the order of the list."""

import hashlib
import io
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from foundation.errors import FirstseenError, InputNotFoundError, TemporaryError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.lookups import begin_lookup, end_lookup, is_begun, lookup_directory
from foundation.store.snapshots import Snapshot
from pipelines.index.memory import limit_per_worker
from pipelines.lookup.in_order import InOrder
from pipelines.lookup.memory import FIXED_BYTES, bytes_to_open, require_room
from pipelines.lookup.names import ANSWERS, KNOWN, PASSING, answers_file, chunk_of
from pipelines.lookup.owners import Owners
from pipelines.lookup.plan import Group, LookupOptions, Plan, plan_groups, plan_rounds, plan_slices
from pipelines.lookup.progress import OnProgress, RoundProgress, stage_seconds
from pipelines.lookup.work_file import WORK_FILE, Written, read_all_names, write_queries
from pipelines.lookup.worker import GONE, Job, shared_worker
from pipelines.runners.names import LOCAL, check_runner
from serving.answers import Answer
from serving.batch.described import DescribedSnapshot
from serving.batch.open_segments import find_gone
from serving.queries import Listed


@dataclass(frozen=True)
class Listeners:
    """Who is told how far a lookup is: how many queries are listed so far, and how many are answered."""

    on_listed: Callable[[int], None] = lambda listed: None
    on_progress: OnProgress = lambda progress: None


@dataclass
class LookedUp:
    """A lookup whose queries are all answered: `answers` yields them, `seconds` says what its stages took."""

    snapshot: Snapshot
    queries: int
    answers: Callable[[], Iterator[list[Answer]]]
    seconds: Counter[str] = field(default_factory=Counter)


@contextmanager
def look_up(
    listed: Iterable[Listed],
    options: LookupOptions,
    listeners: Listeners = Listeners(),  # noqa: B008 (frozen)
) -> Iterator[LookedUp]:
    """Answers the queries, and yields them answered; what was written meanwhile is removed if the block ends well.

    A lookup that was cut off is gone on with by the same queries and options. Raises UsageError, InputNotFoundError,
    ArtifactRefusedError, and TemporaryError if another process is at the same lookup.
    """
    check_runner(options.runner, workers=options.workers, beam_flags=list(options.beam_flags))
    store = Store(options.store)
    described = DescribedSnapshot.read(store, options.snapshot)
    groups = groups_of(described, options)
    with tempfile.TemporaryDirectory(prefix="firstseen-") as folder:
        path = Path(folder, WORK_FILE)
        written = write_queries(path, listed, per_chunk=options.queries_per_chunk, on_listed=listeners.on_listed)
        plan = plan_lookup(described, written, groups, options)
        begin_lookup(store, plan.lookup_id, snapshot=plan.snapshot)
        with naming_removal(store, plan):
            job = Job(store, plan)
            lay_out(job, described, path, written)
            owners, seconds = carry_out(job, options, listeners)
            in_order = InOrder(job.files, owners)
            yield LookedUp(described.snapshot, plan.queries, lambda: answers_of_all(job, in_order), seconds)
        end_lookup(store, plan.lookup_id)


def groups_of(described: DescribedSnapshot, options: LookupOptions) -> tuple[Group, ...]:
    """Returns the groups of segments that fit into the memory of a worker each; raises UsageError if one alone does not."""
    limit = limit_per_worker(options.memory_limit, runner=options.runner, workers=options.workers)
    if limit is not None:
        require_room(described.segments, limit)
    room = None if limit is None else limit - FIXED_BYTES
    return plan_groups([bytes_to_open(one) for one in described.segments], room)


def plan_lookup(
    described: DescribedSnapshot, written: Written, groups: tuple[Group, ...], options: LookupOptions
) -> Plan:
    """Returns the plan, whose lookup_id tells the list, what is asked, and of which snapshot: not how it is run."""
    folder = os.getcwd()
    asked = (written.digest, described.snapshot.number, described.snapshot.encoder_digest, options.match, folder)
    return Plan(
        lookup_id=hashlib.sha256(repr(asked).encode("utf-8", "surrogateescape")).hexdigest()[:32],
        snapshot=described.snapshot.number,
        queries=written.queries,
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
        found = io.BytesIO()
        np.save(found, find_gone(store, described))
        store.create(files.path(GONE), found.getvalue())
    if not files.exists(WORK_FILE) or store.measure(files.path(WORK_FILE))[1] != written.digest:
        store.upload(files.path(WORK_FILE), path)


def carry_out(job: Job, options: LookupOptions, listeners: Listeners) -> tuple[Owners, Counter[str]]:
    """Answers the chunks that are not answered yet, round by round."""
    files, plan = job.files, job.plan
    # Beam takes seconds to import: who only writes the answers of a lookup that was cut off does without it.
    from pipelines.lookup.run_round import run_round

    done = set(map(chunk_of, files.names(ANSWERS)))
    owners, known = Owners(), []
    known += add_known(job, owners.add(files, sorted(done)))
    pending = [chunk for chunk in range(plan.chunks) if chunk not in done]
    rounds = list(plan_rounds(pending, options.chunks_per_round))
    seconds: Counter[str] = Counter()
    with ExitStack() as stack:
        if rounds and options.runner == LOCAL and options.workers == 1:
            # The steps run in this process: what they open stays open from round to round.
            stack.enter_context(shared_worker(job))
        for number, chunks in enumerate(rounds, 1):
            title = f"round {number} of {len(rounds)}"
            answered = plan.queries - sum(map(plan.size, pending[pending.index(chunks[0]) :]))
            progress = RoundProgress(files, plan, chunks, title=title, answered=answered)
            run_round(
                Job(job.store, plan, tuple(known)),
                chunks,
                options,
                on_progress=lambda progress=progress: listeners.on_progress(progress.look()),
            )
            require_answered(job, chunks)
            seconds += clear_away(job, chunks)
            known += add_known(job, owners.add(files, chunks))
    return owners, seconds


def require_answered(job: Job, chunks: Iterable[int]) -> None:
    """Raises FirstseenError if a runner came to its end, and left a chunk without answers."""
    answered = set(map(chunk_of, job.files.names(ANSWERS)))
    if missing := sorted(set(chunks) - answered):
        raise FirstseenError(
            f"{len(missing)} chunks of {job.files.directory} were not answered, {missing[0]} first; run the same lookup "
            "again"
        )


def clear_away(job: Job, chunks: Iterable[int]) -> Counter[str]:
    """Removes what only the round needed, and returns the seconds that each stage took."""
    files, of_round = job.files, set(chunks)
    passing = [name for stage in PASSING for name in files.names(stage) if chunk_of(name) in of_round]
    seconds = stage_seconds(files, [*passing, *map(answers_file, of_round)])
    files.delete(passing)
    return seconds


def add_known(job: Job, contents: np.ndarray) -> list[str]:
    """Writes contents that were answered, S32 ascending, for the rounds that follow; returns the names of the files."""
    if not len(contents):
        return []
    name = f"{KNOWN}/{artifact.fresh_name()}.npy"
    data = io.BytesIO()
    np.save(data, contents)
    job.store.create(job.files.path(name), data.getvalue())
    return [name]


def answers_of_all(job: Job, in_order: InOrder) -> Iterator[list[Answer]]:
    """Yields the answers of all queries, in their order."""
    for chunk, names in enumerate(read_all_names(job.store, job.files.path(WORK_FILE))):
        yield from in_order.answers(chunk, names)


@contextmanager
def naming_removal(store: Store, plan: Plan) -> Iterator[None]:
    """Raises TemporaryError if another process finished the same lookup meanwhile, and removed what this one reads."""
    try:
        yield
    except (FirstseenError, InputNotFoundError) as error:
        if not isinstance(error, TemporaryError) and not is_begun(store, plan.lookup_id):
            raise TemporaryError(
                f"another process finished the same lookup meanwhile, and removed {lookup_directory(plan.lookup_id)}; "
                "run again"
            ) from error
        raise
