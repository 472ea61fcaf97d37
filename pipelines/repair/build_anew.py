"""Builds every segment anew from its runs: where no snapshot can be read, and for snapshots of an older version."""

from dataclasses import replace

from foundation.errors import ArtifactRefusedError
from foundation.store.chains import read_runs, waiting_runs
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.run_paths import EMBEDDINGS
from foundation.store.snapshots import Snapshot, publish
from pipelines.index.job import build_segments, next_snapshot
from pipelines.index.plan import IndexOptions
from pipelines.repair.findings import Findings
from pipelines.repair.result import RepairResult
from pipelines.runners.names import LOCAL


def build_anew(store: Store, findings: Findings, result: RepairResult, options: IndexOptions, *, dry_run: bool) -> None:
    """Builds all segments from the chains of their runs, as the first index did, and publishes them.

    Raises ArtifactRefusedError if nobody can say which encoder was live.
    """
    base = findings.base
    encoder_id = base.encoder_id if base else _only_encoder(store, findings)
    runs = waiting_runs(read_runs(store, encoder_id).finished, base)
    result.done.append(f"all segments are built anew from {len(runs):,} runs")
    if dry_run or not runs:
        return
    spec, digest = read_spec(store, encoder_id)
    added = build_segments(store, runs, [], spec, digest, options, LOCAL, [], workers=1)
    made = next_snapshot(base, base, spec, digest, added, runs, options)
    result.snapshot = replace(made, number=findings.newest + 1, reason="repair")
    publish(store, result.snapshot)


def tell_of_snapshots(findings: Findings, result: RepairResult) -> Snapshot | None:
    """Tells what comes in the place of the snapshots that cannot be read; returns it."""
    for number in sorted(findings.unreadable):
        instead = f"the content of snapshot {findings.base.number} is live again" if findings.base else "none is left"
        result.done.append(
            f"snapshot {number} cannot be read, and {instead}; if it was a rollback, roll back once more"
        )
    return findings.base


def _only_encoder(store: Store, findings: Findings) -> str:
    encoders = [one for one in store.directories(EMBEDDINGS) if read_runs(store, one).finished]
    if len(encoders) != 1:
        raise ArtifactRefusedError(
            f"no snapshot of store {store.uri} can be read, and it holds runs of {len(encoders)} encoders; expected "
            f"those of one: restore snapshots/{findings.newest}.json from a copy"
        )
    return encoders[0]
