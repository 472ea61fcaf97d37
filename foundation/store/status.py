"""Reads what a store holds: what is live, what waits, and what the last runs came to."""

from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

from foundation.errors import ArtifactRefusedError
from foundation.store.chains import waiting_runs
from foundation.store.encoders import list_encoders, read_spec
from foundation.store.files import Store
from foundation.store.history import History, read_history
from foundation.store.ignored import read_ignored, standing
from foundation.store.lookups import LOOKUPS
from foundation.store.reject_examples import read_examples
from foundation.store.retractions import retracted_photos
from foundation.store.runs import Run
from foundation.store.segments import Segment, read_segment
from foundation.store.snapshots import Snapshot, live_snapshot, snapshot_numbers
from foundation.store.watched import list_watched

# What can become of a photo, beside being rejected, as run.json counts it.
OUTCOMES = ("listed", "embedded", "duplicates", "renamed", "unchanged", "updated", "removed")
RUNS_SHOWN = 5
ARCHIVES_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class RunStatus:
    """What became of the photos of one finished run."""

    run_id: str
    encoder_id: str
    archive: str
    created_at: str
    accounting: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RejectStatus:
    """How many photos the last run of an archive rejected for one reason, and one of them where it was found."""

    archive: str
    run_id: str
    reason: str
    photos: int
    photo_id: str | None
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class StoreStatus:
    """What a store holds; `snapshot` is None before the first publish.

    `encoders_created_at` is in the order of the times. `waiting` are the runs, by encoder, that an index would take up;
    `runs_not_indexed` are those of the live encoder, or all before the first publish. `not_encoded` are the live
    archives of which an encoder has no run. `unfinished` runs are being written or were interrupted, `damaged` says
    what cannot be read, and `unread` counts older runs that were not looked at. `lookups` by jobs are at work or were
    interrupted. `lists` counts the photos that were `withdrawn`, must be `ignored`, and are `watched` for.
    """

    store: str
    snapshot: Snapshot | None
    age_seconds: int | None = None
    segments: list[Segment]
    snapshot_numbers: list[int]
    encoders: list[str]
    encoders_created_at: dict[str, str] = field(default_factory=dict)
    runs_by_encoder: dict[str, int]
    runs_not_indexed: list[str]
    waiting: dict[str, list[str]] = field(default_factory=dict)
    not_encoded: dict[str, list[str]] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    lookups: list[str] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    unread: int = 0
    last_runs: list[RunStatus] = field(default_factory=list)
    rejects: list[RejectStatus] = field(default_factory=list)
    lists: dict[str, int] = field(default_factory=dict)

    @property
    def newest_encoder(self) -> str | None:
        """The encoder that was made last."""
        return next(reversed(self.encoders_created_at), None)

    def may_switch_to(self, encoder_id: str) -> bool:
        """Returns whether runs of an encoder are on their way to answer: that is live, or newer than the live one."""
        return self.snapshot is None or encoder_id == self.snapshot.encoder_id or self.is_newer(encoder_id)

    def is_newer(self, encoder_id: str) -> bool:
        """Returns whether an encoder was made after the live one; false where there is none, or either is damaged."""
        made = self.encoders_created_at
        live = self.snapshot.encoder_id if self.snapshot else None
        if live not in made or encoder_id not in made:
            return False
        return datetime.fromisoformat(made[encoder_id]) > datetime.fromisoformat(made[live])


def read_status(store: Store, *, now: datetime | None = None) -> StoreStatus:
    """Returns what the store holds, from its descriptions alone: no shard and no vector is read.

    On a bucket it takes some 10 requests, 1 for each live segment and each entry of a list, 4 for each encoder, 2 for
    each of its newest 50 runs and, for each of at most 5 archives whose last run rejected photos, a few for examples.
    """
    live = live_snapshot(store)
    segments = [read_segment(store, reference) for reference in live.segments] if live else []
    encoders = list_encoders(store)
    created_at, damaged = _read_created(store, encoders)
    history = read_history(store, encoders)
    lists, unreadable = _read_lists(store)
    waiting = {encoder_id: _waiting(history, encoder_id, live) for encoder_id in encoders}
    return StoreStatus(
        store=store.uri,
        snapshot=live,
        age_seconds=_age(live, now or datetime.now(timezone.utc)),
        segments=segments,
        snapshot_numbers=snapshot_numbers(store),
        encoders=encoders,
        encoders_created_at=created_at,
        runs_by_encoder={
            encoder_id: len(set(names) - set(history.unfinished)) for encoder_id, names in history.names.items()
        },
        # Runs of another encoder than the live one do not wait: to index them is a switch, which `--encoder` asks for.
        runs_not_indexed=[
            run_id for name in encoders if live is None or live.encoder_id == name for run_id in waiting[name]
        ],
        waiting=waiting,
        not_encoded={encoder_id: _not_encoded(history, encoder_id, live) for encoder_id in encoders},
        unfinished=list(history.unfinished),
        lookups=store.directories(LOOKUPS),
        damaged={**damaged, **history.damaged, **unreadable},
        unread=len(history.unread),
        last_runs=[_describe_run(one.run) for one in history.runs[:RUNS_SHOWN]],
        rejects=_rejects(store, history),
        lists=lists,
    )


def _read_lists(store: Store) -> tuple[dict[str, int], dict[str, str]]:
    """Returns (how many photos stand on each list, why lists cannot be read)."""
    counts, damaged = {}, {}
    for name, photos in (
        ("withdrawn", lambda: retracted_photos(store)),
        ("ignored", lambda: standing(read_ignored(store))),
        ("watched", lambda: list_watched(store)[0]),
    ):
        try:
            counts[name] = len(photos())
        except ArtifactRefusedError as error:
            damaged[f"the list of photos that are {name}"] = str(error)
    return counts, damaged


def _read_created(store: Store, encoders: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Returns (when each encoder was made, oldest first; why encoders cannot be read)."""
    created_at, damaged = {}, {}
    for encoder_id in encoders:
        try:
            created_at[encoder_id] = read_spec(store, encoder_id)[0].created_at
        except ArtifactRefusedError as error:
            damaged[encoder_id] = str(error)
    return dict(sorted(created_at.items(), key=lambda item: datetime.fromisoformat(item[1]))), damaged


def _waiting(history: History, encoder_id: str, live: Snapshot | None) -> list[str]:
    """Returns the runs of one encoder that an index would take up, oldest first."""
    runs = [one for one in reversed(history.runs) if one.run.encoder_id == encoder_id]
    # An index of another encoder than the live one begins anew.
    base = live if live and live.encoder_id == encoder_id else None
    return [one.run.run_id for one in waiting_runs(runs, base, left_out=live.left_out if live else ())]


def _not_encoded(history: History, encoder_id: str, live: Snapshot | None) -> list[str]:
    encoded = {one.run.archive for one in history.runs if one.run.encoder_id == encoder_id}
    return sorted(live.archives_with_photos - encoded) if live and live.encoder_id != encoder_id else []


def _age(live: Snapshot | None, now: datetime) -> int | None:
    return int((now - datetime.fromisoformat(live.created_at)).total_seconds()) if live else None


def _describe_run(run: Run) -> RunStatus:
    return RunStatus(
        run_id=run.run_id,
        encoder_id=run.encoder_id,
        archive=run.archive,
        created_at=run.created_at,
        accounting=asdict(run.accounting),
    )


def _rejects(store: Store, history: History) -> list[RejectStatus]:
    """Returns why photos were rejected by the last run of each archive, most first, with examples."""
    last: dict[str, Run] = {}
    for one in history.runs:
        last.setdefault(one.run.archive, one.run)
    found = []
    for run in [run for run in last.values() if run.accounting.rejects][:ARCHIVES_SHOWN]:
        examples = read_examples(store, run)
        for reason, photos in sorted(run.accounting.rejected.items(), key=lambda item: -item[1]):
            example = examples.get(reason)
            found.append(
                RejectStatus(
                    archive=run.archive,
                    run_id=run.run_id,
                    reason=reason,
                    photos=photos,
                    photo_id=example and example.photo_id,
                    detail=example and example.detail,
                )
            )
    return found
