"""Collects the garbage of a store: removes what no kept snapshot and no waiting run needs, and nothing else.

What a running job writes is younger than the grace period, or its process is alive on this machine: it stays. What a
job publishes meanwhile names segments that are kept, or so young; and a rollback to one of the snapshots that are being
removed is looked for once those are gone.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import PurePosixPath

from foundation.checks import require_range
from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.store import artifact
from foundation.store.amendments import read_amendments
from foundation.store.builds import BUILDS
from foundation.store.chains import FinishedRun, read_runs, waiting_runs
from foundation.store.encoders import ENCODERS, encoder_directory
from foundation.store.files import Store, StoredFile
from foundation.store.gc_plan import Named, Removal, plan_removals
from foundation.store.ignored import IGNORED, read_ignored, thumbnail_path
from foundation.store.lookups import lookup_directory, lookups_at_work, unfinished_lookups
from foundation.store.runs import EMBEDDINGS, RUN_DESCRIPTION, run_directory
from foundation.store.segments import SEGMENT_DESCRIPTION, Segment, read_segment, segment_directory
from foundation.store.snapshots import Snapshot, read_snapshot, snapshot_numbers, snapshot_path
from foundation.store.unfinished import is_at_work, read_begun, unfinished_runs

KEPT_SNAPSHOTS = 5
GRACE_HOURS = 24.0


@dataclass(frozen=True, kw_only=True)
class GcOptions:
    """What stays: the newest `keep` snapshots, with all that they name, and what is younger than the grace period.

    Snapshots that were live in the grace period stay as well: somebody may have opened one of them.

    `drop_encoders` go with their runs, `drop_left_out` runs as well that a rollback or an operator left out. With
    `dry_run` nothing is deleted.
    """

    keep: int = KEPT_SNAPSHOTS
    grace_hours: float = GRACE_HOURS
    drop_encoders: tuple[str, ...] = ()
    drop_left_out: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("--keep", self.keep, 1, remedy="the live snapshot stays")
        require_range("--grace", self.grace_hours, 0)


@dataclass(frozen=True)
class GcResult:
    """What went, or would go, and what is kept: the numbers of snapshots, and bytes in all.

    `unused_encoders` are kept although no kept snapshot names them: the bytes of each, its runs included.
    """

    removals: list[Removal]
    snapshots: list[int]
    kept_bytes: int
    unused_encoders: dict[str, int]

    @property
    def removed_bytes(self) -> int:
        """Size of all that went."""
        return sum(one.size_bytes for one in self.removals)


@dataclass(frozen=True)
class _Kept:
    """A snapshot that stays, and its segments."""

    snapshot: Snapshot
    segments: list[Segment]


def collect_garbage(
    store: Store, options: GcOptions | None = None, *, on_removed: Callable[[Removal], None] | None = None
) -> GcResult:
    """Removes what nobody needs; what is interrupted goes on when it is run again.

    Raises ArtifactRefusedError, before anything is deleted, if a snapshot that is kept or one of its segments cannot be
    read: it may name anything. UsageError or InputNotFoundError for an encoder that cannot be dropped.
    """
    options, report = options or GcOptions(), on_removed or (lambda removal: None)
    numbers = snapshot_numbers(store)
    files, now = _look(store, options)
    young = now - timedelta(hours=options.grace_hours)
    newest = [_read_kept(store, number, numbers) for number in numbers[-options.keep :]]
    kept = _looked_up(store, files, [*_lately_live(store, files, numbers, len(newest), young), *newest], young)
    _require_droppable(store, kept, options.drop_encoders)
    stays = {one.snapshot.number for one in kept}
    old = _old_snapshots(files, [number for number in numbers if number not in stays])
    _remove(store, old, options, report)
    if not options.dry_run:
        # A rollback may have made one of the old snapshots live again before they were gone.
        later = [number for number in snapshot_numbers(store) if number > max(numbers, default=0)]
        kept += [_read_kept(store, number, later) for number in later]
    removals = plan_removals(files, _named(store, kept, options), young=young)
    _remove(store, removals, options, report)
    removals = [*old, *removals]
    if not options.dry_run:
        _remove_empty_directories(store, removals, young)
    gone = {file.path for one in removals for file in one.files}
    left = [file for file in files if file.path not in gone]
    return GcResult(
        removals,
        [one.snapshot.number for one in kept],
        kept_bytes=sum(file.size_bytes for file in left),
        unused_encoders=_unused_encoders(left, {one.snapshot.encoder_id for one in kept}),
    )


def _read_kept(store: Store, number: int, numbers: Sequence[int]) -> _Kept:
    try:
        snapshot = read_snapshot(store, number)
        return _Kept(snapshot, [read_segment(store, one) for one in snapshot.segments])
    except (ArtifactRefusedError, InputNotFoundError) as error:
        newer = sum(one > number for one in numbers)
        without = f"; without snapshot {number}: --keep {newer}" if newer else ""
        raise ArtifactRefusedError(
            f"snapshot {number} is to be kept and cannot be read, so that nobody knows what it needs: {error}{without}"
        ) from error


def _lately_live(
    store: Store, files: Sequence[StoredFile], numbers: Sequence[int], newest: int, young: datetime
) -> list[_Kept]:
    """Returns the snapshots before the newest ones that were live since `young`: a job or a reader may be at them."""
    written = {file.path: file.modified_at for file in files}
    kept: list[_Kept] = []
    for place in range(len(numbers) - newest - 1, -1, -1):
        # One is live until the next is written.
        until = written.get(snapshot_path(numbers[place + 1]))
        if until and until < young:
            break
        try:
            kept.insert(0, _read_kept(store, numbers[place], numbers))
        except ArtifactRefusedError:
            # Nobody reads it, nor what came before it.
            break
    return kept


def _looked_up(store: Store, files: Sequence[StoredFile], kept: list[_Kept], young: datetime) -> list[_Kept]:
    """Returns what is kept with the snapshots that lookups read which are at work, or were since `young`."""
    at_work = {*lookups_at_work(store)}
    at_work |= {"/".join(one.path.split("/")[:2]) for one in files if one.modified_at >= young}
    asked = {
        one.snapshot
        for name, begun in unfinished_lookups(store).items()
        for one in begun
        if lookup_directory(name) in at_work
    }
    numbers = asked & {*snapshot_numbers(store)} - {one.snapshot.number for one in kept}
    for number in sorted(numbers):
        # A lookup cannot read one that is damaged either.
        with suppress(ArtifactRefusedError):
            kept = [*kept, _read_kept(store, number, [])]
    return sorted(kept, key=lambda one: one.snapshot.number)


def _unused_encoders(files: Sequence[StoredFile], used: set[str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for file in files:
        root, name, *_ = [*file.path.split("/"), ""]
        if root in (ENCODERS, EMBEDDINGS) and name not in used:
            found[name] += file.size_bytes
    return dict(found)


def _require_droppable(store: Store, kept: Sequence[_Kept], encoders: Sequence[str]) -> None:
    """Raises UsageError for an encoder that a kept snapshot names, InputNotFoundError for one that is not there."""
    for encoder_id in encoders:
        known = {*store.directories(ENCODERS), *store.directories(EMBEDDINGS)}
        if encoder_id not in known:
            raise InputNotFoundError(
                f"no encoder {encoder_id!r} in store {store.uri}; it has: {', '.join(sorted(known))}"
            )
        if named := [one.snapshot.number for one in kept if one.snapshot.encoder_id == encoder_id]:
            raise UsageError(
                f"encoder {encoder_id} is that of snapshot {named[-1]}, which is kept; expected one that no kept "
                "snapshot names: publish with another encoder first, or keep fewer snapshots with --keep"
            )


def _old_snapshots(files: Sequence[StoredFile], numbers: Sequence[int]) -> list[Removal]:
    by_path = {file.path: file for file in files}
    paths = [snapshot_path(number) for number in numbers]
    return [Removal("snapshot", path, path, [by_path[path]]) for path in paths if path in by_path]


def _look(store: Store, options: GcOptions) -> tuple[list[StoredFile], datetime]:
    """Returns every file of the store, and the present time by the clock that tells the times of files."""
    if options.dry_run:
        return store.walk(), datetime.now(timezone.utc)
    # The clock of a bucket, or of the machine that a shared disk is on, may go otherwise than the one here.
    path = f"{BUILDS}/{artifact.fresh_name()}.clock"
    store.create(path, b"")
    try:
        found = {file.path: file for file in store.walk()}
        return [file for file in found.values() if file.path != path], found[path].modified_at
    finally:
        store.delete([path])


def _named(store: Store, kept: Sequence[_Kept], options: GcOptions) -> Named:
    """Returns what kept snapshots name, and what waits to be indexed."""
    listed = {
        segment_directory(segment.segment_id): frozenset([SEGMENT_DESCRIPTION, *segment.files])
        for one in kept
        for segment in one.segments
    }
    whole: set[str] = {*lookups_at_work(store)}
    # One that is damaged may name files that count, though no run seems to list them.
    amended = bool(read_amendments(store).damaged)
    for encoder_id in store.directories(EMBEDDINGS):
        begun = {run_id: read_begun(store, encoder_id, run_id) for run_id in unfinished_runs(store, encoder_id)}
        whole |= {run_directory(encoder_id, run_id) for run_id, one in begun.items() if one and is_at_work(one)}
        if encoder_id not in options.drop_encoders:
            runs = read_runs(store, encoder_id)
            # One that cannot be read may be named, or wait: it may be restored, and is not for gc to judge.
            whole |= {run_directory(encoder_id, run_id) for run_id in runs.damaged}
            needed = _needed(runs.finished, kept, encoder_id, options)
            found = {
                one.run.directory: frozenset([RUN_DESCRIPTION, *one.run.files])
                for one in runs.finished
                if one.run.run_id in needed
            }
            listed |= {} if amended else found
            whole |= found.keys() if amended else set()
    # The description of an encoder may be lost, and restored from a copy.
    whole |= {encoder_directory(one.snapshot.encoder_id) for one in kept} | _named_thumbnails(store)
    return Named(listed=listed, whole=frozenset(whole), dropped_encoders=frozenset(options.drop_encoders))


def _named_thumbnails(store: Store) -> set[str]:
    """Returns the thumbnails that the list of ignored photos names, or all of them if it cannot be read."""
    try:
        return {thumbnail_path(one.photo) for one in read_ignored(store) if one.photo}
    except ArtifactRefusedError:
        return {IGNORED}


def _needed(runs: Sequence[FinishedRun], kept: Sequence[_Kept], encoder_id: str, options: GcOptions) -> set[str]:
    """Returns the runs of an encoder that kept snapshots name, and those that wait."""
    own = [one for one in kept if one.snapshot.encoder_id == encoder_id]
    needed = {run_id for one in own for segment in one.segments for run_id in segment.runs}
    needed |= {state.run_id for one in own for state in one.snapshot.archives.values()}
    if not options.drop_left_out:
        needed |= {run_id for one in own for run_id in one.snapshot.left_out}
    # What a run of an encoder is for that is not live, only its user knows: it waits until the encoder is dropped.
    live = kept[-1].snapshot if own and kept[-1] is own[-1] else None
    bases = [live]
    if live and not options.drop_left_out:
        # Runs that wait for one that was left out.
        bases.append(replace(live, left_out=[]))
    return needed | {one.run.run_id for base in bases for one in waiting_runs(runs, base)}


def _remove(store: Store, removals: Sequence[Removal], options: GcOptions, report: Callable[[Removal], None]) -> None:
    """Deletes files, the descriptions before all others: what is cut off here is no artifact any more."""
    if not options.dry_run:
        store.delete([one.description for one in removals if one.description])
    for one in removals:
        if not options.dry_run:
            store.delete([file.path for file in one.files if file.path != one.description])
        report(one)


def _remove_empty_directories(store: Store, removals: Sequence[Removal], young: datetime) -> None:
    """Removes the directories that are empty now, and those that were since `young`: somebody may fill the others."""
    emptied = {str(folder) for one in removals for file in one.files for folder in PurePosixPath(file.path).parents}
    found = store.empty_directories()
    store.remove_directories(path for path, modified_at in found.items() if path in emptied or modified_at < young)
