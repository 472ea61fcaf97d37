"""Repairs a store: what is damaged is built anew from what is whole; what cannot be is named and left out."""

import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from foundation.store.amendments import AMENDMENTS
from foundation.store.chains import read_runs, waiting_runs
from foundation.store.diagnosis import tell_nobody
from foundation.store.encoders import ENCODER_DESCRIPTION, encoder_directory, read_spec
from foundation.store.files import Store
from foundation.store.numbered import entry_path
from foundation.store.retractions import withdrawn_contents
from foundation.store.segments import SegmentReference
from foundation.store.shipped import PACKAGE_STORE, ship, shipped_encoder
from foundation.store.snapshots import ArchiveState, Snapshot, publish, read_snapshot
from pipelines.index.plan import IndexOptions
from pipelines.repair.build_anew import build_anew, tell_of_snapshots
from pipelines.repair.differences import State, known_tables
from pipelines.repair.findings import Findings, find_damage, find_states
from pipelines.repair.read_again import read_lost
from pipelines.repair.rebuild import Rebuilding, build, plan_rebuilding
from pipelines.repair.result import RepairResult
from pipelines.repair.settle_runs import settle_runs
from pipelines.repair.state_runs import write_state


def repair(
    store: Store,
    *,
    dry_run: bool = False,
    options: IndexOptions | None = None,
    on_artifact: Callable[[str], None] = tell_nobody,
) -> RepairResult:
    """Mends all that is damaged of the live snapshot, or of the newest whole one, and publishes the next one.

    No segment is built that finds less than `min_recall` of the options, or than the worst one there is. With `dry_run`
    nothing is written. Raises ArtifactRefusedError where only a copy helps: for a damaged retraction, or
    an encoder of the desk's own.
    """
    findings = find_damage(store, on_artifact=on_artifact)
    options = _like_what_there_is(options or IndexOptions(), findings)
    result = RepairResult(findings.damages, snapshot=findings.base)
    if findings.is_nothing:
        return result
    _restore_encoder(store, findings, result, dry_run=dry_run)
    base = tell_of_snapshots(findings, result)
    states = find_states(findings)
    left_out = settle_runs(store, findings, result, dry_run=dry_run)
    if base and (base.archives or not findings.of("segment")):
        _mend(store, findings, base, states, left_out, result, options, dry_run=dry_run)
    elif base or findings.unreadable:
        build_anew(store, findings, result, options, dry_run=dry_run)
    if not dry_run:
        # What a damaged amendment said was found out anew.
        store.delete([entry_path(AMENDMENTS, number) for number in findings.amendments.damaged])
    return result


def _like_what_there_is(options: IndexOptions, findings: Findings) -> IndexOptions:
    """Returns options with which what was published once can be published again."""
    found = [one.recall_at_10 for one in findings.segments.values()]
    return replace(options, min_recall=min([options.min_recall, *found]))


def _restore_encoder(store: Store, findings: Findings, result: RepairResult, *, dry_run: bool) -> None:
    """Puts the files of the shipped encoder back; raises ArtifactRefusedError for another one."""
    for encoder_id, files in findings.of("encoder").items():
        directory = encoder_directory(encoder_id)
        _, digest = read_spec(Store(PACKAGE_STORE), shipped_encoder())
        if not findings.base or digest != findings.base.encoder_digest:
            problem = next(one for one in findings.damages if one.name == encoder_id)
            raise ArtifactRefusedError(
                f"{problem}; nothing else holds a trained encoder: restore {directory} from a copy, or encode the "
                "archives with another one: `firstseen reindex ARCHIVE --encoder ID`"
            )
        result.done.append(f"encoder {encoder_id} is copied anew from the program: {', '.join(sorted(files))}")
        if not dry_run:
            store.delete([f"{directory}/{name}" for name in {*files, ENCODER_DESCRIPTION}])
            ship(store)


def _mend(
    store: Store,
    findings: Findings,
    base: Snapshot,
    states: Sequence[State],
    left_out: Sequence[str],
    result: RepairResult,
    options: IndexOptions,
    *,
    dry_run: bool,
) -> None:
    """Builds what segments and archives lost, publishes it, and reads what nothing holds any more once again."""
    damaged = findings.of("segment")
    added: list[SegmentReference] = []
    archives = dict(base.archives)
    if damaged or any(one.previous is None for one in states):
        added, archives = _build_lost(store, findings, base, states, result, options, dry_run=dry_run)
    elif not (left_out or findings.unreadable):
        return
    if dry_run:
        return
    kept = [one for one in base.segments if one.segment_id not in damaged]
    result.snapshot = _next(base, findings.newest + 1, [*kept, *added], archives, left_out)
    publish(store, result.snapshot)
    if result.lost:
        result.still_lost = read_lost(store, result.lost, options, features=findings.features)
        result.snapshot = read_snapshot(store)
        if result.still_lost:
            result.done.append(f"{len(result.still_lost):,} photos could not be read, and are left out")
    runs = read_runs(store, base.encoder_id).finished
    result.waiting = [one.run.run_id for one in waiting_runs(runs, result.snapshot)]


def _build_lost(
    store: Store,
    findings: Findings,
    base: Snapshot,
    states: Sequence[State],
    result: RepairResult,
    options: IndexOptions,
    *,
    dry_run: bool,
) -> tuple[list[SegmentReference], dict[str, ArchiveState]]:
    """Builds what damaged segments held, and writes anew how archives stand whose inventory is lost."""
    spec, digest = read_spec(store, base.encoder_id)
    withdrawn, runs = withdrawn_contents(store), findings.runs.finished
    archives = dict(base.archives)
    with (
        tempfile.TemporaryDirectory(prefix="firstseen-") as folder,
        known_tables(store, Path(folder), findings.whole_segments, states) as database,
    ):
        rebuilding = plan_rebuilding(
            store, database, runs, digest=digest, damaged=findings.of("run"), withdrawn=withdrawn
        )
        _tell(findings, states, rebuilding, result)
        if dry_run:
            return [], archives
        for state in states:
            if state.previous is None:
                lost = base.archives[state.archive].run_id
                archives[state.archive] = write_state(database, store, spec, digest, state, previous=lost)
        added = build(
            store,
            rebuilding,
            spec=spec,
            digest=digest,
            kept=findings.whole_segments,
            runs=runs,
            withdrawn=withdrawn,
            options=options,
        )
        return list(added), archives


def _tell(findings: Findings, states: Sequence[State], rebuilding: Rebuilding, result: RepairResult) -> None:
    result.lost = rebuilding.lost
    contents, shards = len(rebuilding.sources.contents), len(rebuilding.sources.shards)
    result.done += [f"segment {name} is built anew" for name in findings.of("segment")]
    if contents:
        result.done.append(f"{contents:,} contents that no whole segment holds come from {shards:,} shards")
    if rebuilding.lost:
        result.done.append(f"{len(rebuilding.lost):,} photos in no whole shard are read again")
    result.done += [
        f"how archive {one.archive} stands is taken from the segments: its next encode reads every photo once"
        for one in states
        if one.previous is None
    ]


def _next(
    base: Snapshot,
    number: int,
    segments: list[SegmentReference],
    archives: dict[str, ArchiveState],
    left_out: Sequence[str],
) -> Snapshot:
    """Returns the snapshot that takes the place of what is damaged."""
    states = archives.values()
    return replace(
        base,
        number=number,
        parent=base.number,
        created_at=artifact.now(),
        reason="repair",
        segments=segments,
        archives=archives,
        left_out=sorted({*base.left_out, *left_out}),
        # A snapshot of version 1 names no archive.
        photos=sum(one.photos for one in states) if states else base.photos,
        contents=sum(one.contents for one in states) if states else base.contents,
        publisher=uuid.uuid4().hex,
        content_sha256=None,
    )
