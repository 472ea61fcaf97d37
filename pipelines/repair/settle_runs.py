"""Settles what becomes of damaged runs: what they lost is written down, or they are left out."""

from foundation.store.amendments import amend
from foundation.store.files import Store
from foundation.store.run_paths import RUN_DESCRIPTION
from foundation.store.snapshots import Snapshot
from pipelines.repair.findings import Findings, is_rejects
from pipelines.repair.result import RepairResult

LATER = "its photos come with the next reindex of their archive"


def settle_runs(store: Store, findings: Findings, result: RepairResult, *, dry_run: bool) -> list[str]:
    """Writes down what damaged runs lost; returns those that are left out of the next snapshot.

    What is indexed of a run stays so. One that waits is not indexed, and counts for nothing in the next encode.
    """
    left_out = []
    for run_id, files in findings.of("run").items():
        encoder_id = findings.encoder_of(run_id)
        essential = [name for name in files if not is_rejects(name)]
        if essential and run_id in findings.waiting and _is_of(findings.base, encoder_id):
            result.done.append(f"run {run_id} is left out: {LATER}")
            left_out.append(run_id)
            continue
        if findings.base and not findings.base.archives and run_id not in findings.waiting:
            # Everything is built anew of such runs, by the next index.
            result.done.append(f"run {run_id} cannot be mended, it is of an older version: restore it from a copy")
            continue
        if not essential:
            result.done.append(f"run {run_id} goes on without its list of rejects")
        elif run_id in findings.waiting:
            result.done.append(f"run {run_id} is given up: {LATER}")
        else:
            result.done.append(f"run {run_id} goes on without {', '.join(sorted(files))}: what is indexed of it stays")
        gives_up = RUN_DESCRIPTION in files or (essential and run_id in findings.waiting)
        removed = [RUN_DESCRIPTION] if gives_up else sorted(files)
        if not dry_run:
            amend(store, (encoder_id, run_id), why="damaged", removed=removed, is_whole=not essential)
    return left_out


def _is_of(base: Snapshot | None, encoder_id: str) -> bool:
    return base is not None and base.encoder_id == encoder_id
