"""Tries a fault: a command is killed in the middle, and the store must be whole, and whole again when it is run anew.

After the kill a fresh process answers from a whole snapshot, the old one or the new; the command, run again, comes to
its end; what is then stored is what an undisturbed run stores, to the row; and `gc` leaves nothing that nobody names.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from foundation.store.encoders import ENCODER_DESCRIPTION, encoder_directory, list_encoders, read_spec
from foundation.store.files import Store
from foundation.store.retractions import RETRACTIONS
from foundation.store.runs import RUN_DESCRIPTION, list_runs, read_run
from foundation.store.segments import (
    CHANGED_HASHES,
    CONTENT_HASHES,
    read_segment,
    segment_directory,
    segment_path,
    whole_hash,
)
from foundation.store.snapshots import live_snapshot, read_snapshot, snapshot_numbers, snapshot_path
from foundation.store.verify import verify
from serving.search.snapshot import OpenSnapshot
from tests.faults.killed import KILL_AT, PASSED

REPOSITORY = Path(__file__).parents[2]
PATIENCE_SECONDS = 300
# What a snapshot answers: of each content its vector, and the photos that have it with what is known of them.
Rows = Mapping[bytes, tuple[tuple[float, ...], tuple[tuple[Any, ...], ...]]]


@dataclass(frozen=True)
class Command:
    """A command of firstseen, and the store that it works on, which `restore` makes as it was before.

    What it did shows when the command `then` has run, if there is one.
    """

    arguments: Sequence[str]
    store: str
    restore: Callable[[], None]
    then: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """What came of one fault: where it struck, and what went wrong afterwards, nothing if all is well."""

    where: str
    problems: list[str]
    was_killed: bool = True


def run(command: Command, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command in a fresh process, to its end or to where it is killed."""
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.killed", *command.arguments],
        cwd=REPOSITORY,
        env={**os.environ, **command.environment, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def places_of(command: Command, folder: Path) -> list[str]:
    """Returns the places that an undisturbed run passes, in their order; the store is then as the run leaves it."""
    passed = folder / "places"
    passed.unlink(missing_ok=True)
    command.restore()
    done = run(command, **{PASSED: str(passed)})
    shown = run(replace(command, arguments=command.then)) if command.then else done
    if done.returncode or shown.returncode:
        raise RuntimeError(f"{' '.join(command.arguments)} ended with {done.returncode}: {done.stderr}{shown.stderr}")
    return passed.read_text().splitlines()


def rows_of(store: str) -> Rows:
    """Returns what the live snapshot answers, as its files say in a store that was just opened."""
    opened_store = Store(store)
    live = live_snapshot(opened_store)
    if live is None:
        return {}
    segments = [read_segment(opened_store, one) for one in live.segments]
    contents: set[bytes] = set()
    for segment in segments:
        for name in (CONTENT_HASHES, CHANGED_HASHES):
            if name in segment.files:
                with opened_store.local_copy(segment_directory(segment.segment_id), [name]) as folder:
                    contents |= {whole_hash(one) for one in np.load(folder / name)}
    found: dict[bytes, Any] = {}
    with OpenSnapshot(opened_store, live) as opened:
        for content in contents:
            photos = opened.occurrences(content)
            (places,) = opened.places([content])
            if photos or places:
                vector = tuple(np.round(opened.vectors(places[:1])[0], 4).tolist()) if places else ()
                found[content] = (vector, tuple((one.archive, one.photo_id, one.caption) for one in photos))
    return found


def orphans(store: str) -> list[str]:
    """Returns the files of a store that no description lists, and that are none."""
    opened = Store(store)
    named: set[str] = set()
    for number in snapshot_numbers(opened):
        snapshot = read_snapshot(opened, number)
        named.add(snapshot_path(number))
        for reference in snapshot.segments:
            segment = read_segment(opened, reference)
            named |= {segment_path(segment.segment_id)}
            named |= {f"{segment_directory(segment.segment_id)}/{name}" for name in segment.files}
    for encoder_id in list_encoders(opened):
        spec, _ = read_spec(opened, encoder_id)
        named |= {f"{encoder_directory(encoder_id)}/{name}" for name in (ENCODER_DESCRIPTION, *spec.files)}
        for run_id in list_runs(opened, encoder_id):
            found, _ = read_run(opened, encoder_id, run_id)
            named |= {f"{found.directory}/{name}" for name in (RUN_DESCRIPTION, *found.files)}
    found = (file.path for file in opened.walk())
    return [path for path in found if path not in named and not path.startswith(f"{RETRACTIONS}/")]


def try_kill_at(place: str, command: Command, *, before: Rows, after: Rows) -> Trial:
    """Kills the command at a place, and returns what was wrong; `before` and `after` are what may be answered."""
    command.restore()
    done = run(command, **{KILL_AT: place})
    return _judge(place, command, done.returncode, before=before, after=after)


def try_kill_after(seconds: float, command: Command, *, before: Rows, after: Rows) -> Trial:
    """Kills the command after some time, wherever it is then."""
    command.restore()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.killed", *command.arguments],
        cwd=REPOSITORY,
        env={**os.environ, **command.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(seconds)
    # The whole group: what a machine that goes down takes along.
    os.killpg(process.pid, signal.SIGKILL)
    return _judge(f"after {seconds:.2f} s", command, process.wait(PATIENCE_SECONDS), before=before, after=after)


def _judge(where: str, command: Command, code: int, *, before: Rows, after: Rows) -> Trial:
    problems = list(_problems(command, before=before, after=after))
    return Trial(where, problems, was_killed=code == -signal.SIGKILL)


def _problems(command: Command, *, before: Rows, after: Rows) -> Iterator[str]:
    found = rows_of(command.store)
    if found not in (before, after):
        yield f"{len(found)} contents are answered that are neither those before nor those after"
    if before or found:
        verify(Store(command.store))
    again = run(command)
    if again.returncode:
        yield f"run again, it ended with {again.returncode}: {again.stderr.strip().splitlines()[-1:]}"
        return
    if command.then:
        run(replace(command, arguments=command.then))
    if rows_of(command.store) != after:
        yield "run again, it stored other rows than an undisturbed run"
    verify(Store(command.store))
    collected = run(replace(command, arguments=["gc", "--store", command.store, "--grace", "0"]))
    if collected.returncode:
        yield f"gc ended with {collected.returncode}: {collected.stderr.strip().splitlines()[-1:]}"
    if rows_of(command.store) != after:
        yield "gc changed what is answered"
    yield from (f"gc left {path}, which nobody names" for path in orphans(command.store))
