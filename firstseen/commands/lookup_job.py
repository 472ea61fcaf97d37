"""Looks long lists of queries up by a Beam job: decides whether to, shows how far it is, and hands on its answers."""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from firstseen.commands.lookup_line import LookupLine
from firstseen.commands.streams import tell
from foundation.errors import AccessDeniedError, UsageError

if TYPE_CHECKING:
    from foundation.store.files import Store
    from pipelines.lookup.job import LookedUp
    from serving.answers import Answer
    from serving.match.options import MatchOptions
    from serving.queries import Listed

Written = TypeVar("Written")

# Above so many queries the job is chosen. Ten thousand take ten minutes and more on two cores, which a kill would
# lose whole; what the job costs beside, to start and to write its files, is a few seconds in a hundred of these.
JOB_QUERIES = 10_000


@dataclass(frozen=True)
class JobFlags:
    """What the user said of how a lookup is run; nothing means that the number of queries decides."""

    runner: str | None = None
    workers: int | None = None
    memory_limit: str | None = None
    beam_flags: Sequence[str] = ()

    @property
    def are_given(self) -> bool:
        """Whether any of them asks for a job."""
        return any(one is not None for one in (self.runner, self.workers, self.memory_limit)) or bool(self.beam_flags)


def split_beam_flags(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns (queries, Beam's flags): what follows `--` and begins with one that looks like a flag is Beam's.

    Raises UsageError if one of the flags is the name of a file, which is meant as a query.
    """
    # Before the `--` the command line takes what looks like a flag for one of its own: here it can only stand behind.
    place = next((place for place, one in enumerate(arguments) if one.startswith("--")), len(arguments))
    for flag in arguments[place:]:
        if flag.startswith("--") and os.path.isfile(flag):
            raise UsageError(f"{flag} stands where Beam's flags do, and is a file; expected ./{flag} for the photo")
    return list(arguments[:place]), list(arguments[place:])


def is_for_a_job(
    listed: Iterator["Listed"],
    store: "Store",
    flags: JobFlags,
    *,
    snapshot: int | None,
    has_folders: bool,
    is_typed: bool,
) -> tuple[bool, Iterator["Listed"]]:
    """Returns whether a job looks the queries up, and the queries, which have to be counted up to the limit.

    `has_folders` says that evidence or decoded matches are asked for, which the job does not write, `is_typed`
    that somebody types names and waits. Raises UsageError if the user asks for both, AccessDeniedError for a job in a
    store that is only read.
    """
    if flags.are_given and has_folders:
        raise UsageError(
            "--evidence and --decode are not written by a job; expected them without --runner, --workers, "
            "--memory-limit and Beam's flags: look up what was found once more, without these"
        )
    if flags.are_given:
        if not may_write(store):
            raise AccessDeniedError(
                f"a job keeps what it has found in the store {store.uri}, which may not be written to; expected the "
                "right to write and delete lookups/ there: or look up without --runner, --workers and --memory-limit"
            )
        return True, listed
    # Whoever types names wants the answer to the first of them, not to be counted.
    if has_folders or is_typed:
        return False, listed
    first: list[Listed] = []
    if not is_larger_than_memory(store, snapshot):
        first = list(itertools.islice(listed, JOB_QUERIES + 1))
        if len(first) <= JOB_QUERIES:
            return False, iter(first)
    by_job = may_write(store)
    if not by_job:
        tell(f"the store {store.uri} may not be written to: no job looks up, and what is cut off begins anew")
    return by_job, itertools.chain(first, listed)


def may_write(store: "Store") -> bool:
    """Returns whether a job may keep files in a store; in a bucket only a file that is written and deleted tells."""
    from foundation.store.artifact import fresh_name
    from foundation.store.lookups import LOOKUPS

    if store.local_root:
        places = (store.local_root, store.local_root / LOOKUPS)
        return all(os.access(place, os.W_OK) for place in places if place.exists())
    # Like the files of a lookup: where deleting is denied, `firstseen gc` of somebody else removes it.
    trial = f"{LOOKUPS}/trial-{fresh_name()}/trial"
    try:
        store.create(trial, b"")
        store.delete([trial])
    except AccessDeniedError:
        return False
    return True


def is_larger_than_memory(store: "Store", snapshot: int | None) -> bool:
    """Returns whether the segments of a snapshot, all open together, take more memory than there is.

    Where one of them alone does, a job is no way out.
    """
    from pipelines.index.memory import limit_per_worker
    from pipelines.lookup.memory import FIXED_BYTES, bytes_to_open
    from pipelines.runners.names import LOCAL
    from serving.batch.described import DescribedSnapshot

    described = DescribedSnapshot.read(store, snapshot)
    limit = limit_per_worker(None, runner=LOCAL, workers=1)
    sizes = list(map(bytes_to_open, described.segments))
    return limit is not None and bool(sizes) and max(sizes) <= limit - FIXED_BYTES < sum(sizes)


@contextmanager
def looked_up(
    store: "Store", listed: Iterable["Listed"], flags: JobFlags, *, snapshot: int | None, match: "MatchOptions"
) -> Iterator["LookedUp"]:
    """Yields the queries answered; says on stderr how far the job is, and what its stages took."""
    from pipelines.lookup.job import Listeners, look_up
    from pipelines.lookup.plan import LookupOptions
    from pipelines.runners.names import LOCAL

    options = LookupOptions(
        store=store.uri,
        snapshot=snapshot,
        match=match,
        runner=flags.runner or LOCAL,
        workers=1 if flags.workers is None else flags.workers,
        memory_limit=flags.memory_limit,
        beam_flags=tuple(flags.beam_flags),
    )
    with LookupLine() as line, look_up(listed, options, Listeners(line.show_listed, line.show)) as found:
        line.stop()
        _tell_stages(found)
        yield found


def write_found(found: "LookedUp", write: Callable[[Iterable[list["Answer"]]], Written], *, to_file: bool) -> Written:
    """Writes the answers by `write`, and once more if what was written names what was withdrawn meanwhile."""
    from pipelines.lookup.results import OutdatedAnswersError

    while True:
        try:
            return write(found.answers(may_be_taken_back=to_file))
        except OutdatedAnswersError:
            tell("photos were withdrawn while the answers were written; they are written once more")


def _tell_stages(found: "LookedUp") -> None:
    from pipelines.lookup.progress import STAGES

    if found.seconds:
        stages = ", ".join(f"{words} {found.seconds[stage]:,.1f} s" for stage, words in STAGES.items())
        tell(f"time of all workers together: {stages}", seconds=dict(found.seconds), queries=found.queries)
