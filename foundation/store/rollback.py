"""Publishes an earlier snapshot again, without what came after it."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from foundation.errors import FirstseenError, InputNotFoundError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.runs import read_run
from foundation.store.segments import read_segment, require_files
from foundation.store.snapshots import Snapshot, publish, read_contents, read_snapshot, snapshot_numbers


def roll_back(store: Store, number: int | None = None) -> Snapshot:
    """Publishes the content of an earlier snapshot (the live one's parent by default) as a new snapshot.

    Its parent is the parent of that content, so that rolling back again goes further back. Raises InputNotFoundError
    or ArtifactRefusedError if the encoder or a segment of the target is not what it names any more, or lacks a file,
    PublishRaceLostError if somebody else publishes meanwhile.
    """
    # Listed first: what somebody publishes from here on takes the number, and this rollback loses the race.
    numbers = snapshot_numbers(store)
    if number is None:
        live = read_snapshot(store)
        if live.parent is None:
            raise InputNotFoundError(f"snapshot {live.number} has no parent to roll back to; expected --to NUMBER")
        number = live.parent
    target = read_snapshot(store, number)
    _, segments = read_contents(store, target)
    require_files(store, segments)
    left_out = left_out_by(store, target, numbers)
    snapshot = replace(
        target,
        left_out=sorted({*target.left_out, *left_out}),
        # The live snapshot is not read for this: a damaged one must not stand in the way of its own remedy.
        number=numbers[-1] + 1,
        created_at=artifact.now(),
        reason=f"rollback to {target.number}",
        publisher=uuid.uuid4().hex,
    )
    publish(store, snapshot)
    return snapshot


def left_out_by(store: Store, target: Snapshot, numbers: Sequence[int]) -> list[str]:
    """Returns the runs that later snapshots hold and `target` does not: a rollback leaves them out.

    A later snapshot that is damaged names none.
    """
    kept = _runs_of(store, target)
    left_out: set[str] = set()
    for number in numbers:
        if number > target.number:
            with suppress(FirstseenError):
                later = read_snapshot(store, number)
                left_out |= {*later.left_out, *(_runs_of(store, later) - kept)}
    return sorted(left_out - kept)


def _runs_of(store: Store, snapshot: Snapshot) -> set[str]:
    """Returns the runs that a snapshot holds, also if its segments cannot be read: that may be why it is left."""
    last = {state.run_id for state in snapshot.archives.values()}
    try:
        return last | {run_id for one in snapshot.segments for run_id in read_segment(store, one).runs}
    except FirstseenError:
        return {run_id for one in last for run_id in _runs_up_to(store, snapshot.encoder_id, one)}


def _runs_up_to(store: Store, encoder_id: str, last: str) -> Iterator[str]:
    """Yields a run, and those before it that its archive is known by."""
    run_id: str | None = last
    with suppress(FirstseenError):
        while run_id:
            yield run_id
            run_id = read_run(store, encoder_id, run_id)[0].previous
