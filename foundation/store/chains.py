"""Orders the runs of each archive: every run names the one that its changes are relative to, and so they make a chain.

Runs of versions 1 and 2 name none. Each of them is the whole archive; they follow each other by their names, which
begin with the second of their start, and come before all others.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from foundation.errors import ArtifactRefusedError, InputNotFoundError
from foundation.store.amendments import Amendments, read_amendments
from foundation.store.files import Store
from foundation.store.runs import EMBEDDINGS, Run, read_run, run_path
from foundation.store.snapshots import Snapshot

# A bucket answers within 50 ms, whoever else is asking.
READERS = 16


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, the digest of its run.json, and whether nothing of it was lost since."""

    run: Run
    digest: str
    is_whole: bool = True


@dataclass(frozen=True)
class RunsOfEncoder:
    """The finished runs of one encoder; `damaged` says of each that cannot be read why."""

    finished: list[FinishedRun]
    damaged: dict[str, str] = field(default_factory=dict)


def read_runs(store: Store, encoder_id: str) -> RunsOfEncoder:
    """Returns every finished run of an encoder, oldest name first; one that is damaged stands in nobody's way."""
    # The order of the names is that of the runs, since each begins with the second in which its run began.
    names = store.directories(f"{EMBEDDINGS}/{encoder_id}")
    found = look_at_runs(store, [(encoder_id, name) for name in names])
    return RunsOfEncoder(
        finished=[one for one in found if isinstance(one, FinishedRun)],
        damaged={name: one for name, one in zip(names, found, strict=True) if isinstance(one, str)},
    )


def look_at_runs(store: Store, named: Sequence[tuple[str, str]]) -> list[FinishedRun | str | None]:
    """Returns of each (encoder_id, run_id) the run, or why it cannot be read, or None if it has not finished."""
    amendments = read_amendments(store)
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(lambda one: _look_at_run(store, one[0], one[1], amendments), named))


def _look_at_run(store: Store, encoder_id: str, run_id: str, amendments: Amendments) -> FinishedRun | str | None:
    try:
        return FinishedRun(*read_run(store, encoder_id, run_id, amendments), amendments.is_whole(encoder_id, run_id))
    except ArtifactRefusedError as error:
        return str(error)
    except InputNotFoundError:
        # Rights that are missing are no run that is.
        if store.exists(run_path(encoder_id, run_id)):
            raise
        return None


def waiting_runs(
    runs: Sequence[FinishedRun], live: Snapshot | None, *, left_out: Iterable[str] = ()
) -> list[FinishedRun]:
    """Returns the runs that a snapshot of the same encoder does not hold yet, those of each archive in their order.

    `left_out` are runs that do not count, beside those that the snapshot names: a snapshot of another encoder may name
    some as well.

    A run counts only if the snapshot, or a run that waits as well, is what its changes are relative to. One that lost
    something does not: its archive is encoded again instead.
    """
    out = {*left_out, *(live.left_out if live else ())}
    usable = [one for one in runs if one.is_whole and one.run.run_id not in out]
    archives = dict.fromkeys(one.run.archive for one in usable)
    known = live.archives if live else {}
    return [
        one
        for archive in archives
        for one in _chain(
            [one for one in usable if one.run.archive == archive], known[archive].run_id if archive in known else None
        )
    ]


def _chain(runs: Sequence[FinishedRun], base: str | None) -> list[FinishedRun]:
    """Returns the runs of one archive that follow the run `base`, or all from the first on."""
    whole = sorted((one for one in runs if not one.run.generation), key=lambda one: one.run.run_id)
    names = [one.run.run_id for one in whole]
    chain = whole if base is None else [one for one in whole if base in names and one.run.run_id > base]
    last = chain[-1].run.run_id if chain else base
    # Two runs that were encoded at the same time are relative to the same one: the later takes both their places, for
    # each is a listing of the whole archive.
    following = {one.run.previous: one for one in sorted(runs, key=lambda one: one.run.run_id) if one.run.generation}
    while last in following:
        chain.append(following[last])
        last = following[last].run.run_id
    return chain
