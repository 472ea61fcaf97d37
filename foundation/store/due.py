"""Says what of a store somebody should see to, and the command to type next: never one that would fail."""

import shlex
from dataclasses import dataclass

from foundation.store.status import StoreStatus
from foundation.wording import number_of


@dataclass(frozen=True, kw_only=True)
class Due:
    """What somebody should see to, and the command that does it, if there is one."""

    what: str
    command: str | None = None


def list_due(status: StoreStatus) -> list[Due]:
    """Returns what is due, the most pressing first."""
    return [*_damaged(status), *_waiting(status), *_newer_encoder(status), *_unfinished(status)]


def next_command(status: StoreStatus) -> str:
    """Returns the command that a user would type next; one of capital letters has to be filled in."""
    index = next((due.command for due in _waiting(status) if due.command), None)
    return index or (_command(status, "lookup PHOTO") if status.snapshot else _encode(status))


def _damaged(status: StoreStatus) -> list[Due]:
    return [Due(what=f"{name} cannot be read: {why}") for name, why in status.damaged.items()]


def _waiting(status: StoreStatus) -> list[Due]:
    live = status.snapshot
    if live is None:
        return [_index(status, name) for name in reversed(status.encoders_created_at) if status.waiting.get(name)]
    if not status.waiting.get(live.encoder_id):
        return []
    # Snapshots of version 1 do not say what a rollback left out: whether to index it again is for the user to decide.
    if live.reason.startswith("rollback") and not live.archives:
        runs = len(status.waiting[live.encoder_id])
        return [Due(what=f"{number_of(runs, 'run')} of {live.encoder_id} left out by the {live.reason}")]
    return [_index(status, live.encoder_id)]


def _index(status: StoreStatus, encoder_id: str) -> Due:
    # Before the first snapshot, and to switch from the live encoder to another one, an index has to be told which.
    live = status.snapshot
    named = [] if live and live.encoder_id == encoder_id else ["--encoder", encoder_id]
    what = f"{number_of(len(status.waiting[encoder_id]), 'run')} of {encoder_id} not indexed"
    return Due(what=what, command=None if encoder_id in status.damaged else _command(status, "index", *named))


def _newer_encoder(status: StoreStatus) -> list[Due]:
    newest = status.newest_encoder
    if newest is None or not status.is_newer(newest):
        return []
    what = f"{newest} is newer than the live encoder"
    if missing := status.not_encoded[newest]:
        # An index would refuse to lose these archives by a switch.
        reindex = _command(status, f"reindex {shlex.quote(missing[0])}", "--encoder", newest)
        return [Due(what=f"{what}; archives not encoded with it: {len(missing):,}", command=reindex)]
    if status.waiting.get(newest):
        return [
            Due(what=f"{what}, and all is encoded with it: an index switches", command=_index(status, newest).command)
        ]
    return [Due(what=f"{what}", command=_command(status, "reindex ARCHIVE", "--encoder", newest))]


def _unfinished(status: StoreStatus) -> list[Due]:
    not_finished = (
        (number_of(len(status.unfinished), "run"), status.unfinished, "the next encode of the archive goes on"),
        (number_of(len(status.lookups), "lookup"), status.lookups, "the same command again goes on"),
    )
    return [
        Due(what=f"{number} not finished: at work now, or cut off; {remedy}")
        for number, names, remedy in not_finished
        if names
    ]


def _encode(status: StoreStatus) -> str:
    several = len(status.encoders) > 1 and status.newest_encoder
    return _command(status, "encode ARCHIVE", *(["--encoder", several] if several else []))


def _command(status: StoreStatus, verb: str, *options: str) -> str:
    return f"firstseen {verb} --store {shlex.join([status.store, *options])}"
