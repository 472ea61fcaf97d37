"""Checks that every byte that a snapshot stands on is still the one that was written."""

from collections.abc import Callable

from foundation.checks import require_digest
from foundation.errors import InputNotFoundError
from foundation.store import artifact
from foundation.store.encoders import encoder_directory
from foundation.store.files import Store
from foundation.store.runs import Run, read_run, run_path
from foundation.store.segments import Segment, segment_directory
from foundation.store.snapshots import Snapshot, read_contents, read_snapshot


def verify(
    store: Store, number: int | None = None, *, on_artifact: Callable[[str], None] | None = None
) -> tuple[Snapshot, int]:
    """Checks the digest of every file that a snapshot lists; returns (snapshot, bytes read).

    The chain: the snapshot names its encoder and its segments, a segment its runs, each of them its files. Raises
    ArtifactRefusedError at the first that differs, InputNotFoundError at the first that is missing.
    """
    report = on_artifact or (lambda path: None)
    snapshot = read_snapshot(store, number)
    spec, segments = read_contents(store, snapshot)
    checked = _verify(store, encoder_directory(spec.encoder_id), spec.files, report)
    for segment in segments:
        checked += _verify(store, segment_directory(segment.segment_id), segment.files, report)
    # A run that was cut into several segments is read once.
    segment_by_run = {run_id: segment for segment in segments for run_id in segment.runs}
    for run_id, segment in segment_by_run.items():
        run = _read_run(store, spec.encoder_id, run_id, segment)
        checked += _verify(store, run.directory, run.files, report)
    return snapshot, checked


def _read_run(store: Store, encoder_id: str, run_id: str, segment: Segment) -> Run:
    """Returns a run that the segment was built from, if it is still the same."""
    path, named_by = run_path(encoder_id, run_id), f"segment {segment.segment_id}"
    if not store.exists(path):
        raise InputNotFoundError(
            f"run {run_id}, which {named_by} was built from, is missing: no {path} in store {store.uri}; lookups go "
            "on, but the segment cannot be built again: restore the run from a copy"
        )
    run, digest = read_run(store, encoder_id, run_id)
    expected, remedy = segment.runs[run_id], "restore it from a copy"
    require_digest(f"run {run_id}", digest, expected=expected, named_by=named_by, remedy=remedy)
    return run


def _verify(store: Store, path: str, files: dict[str, artifact.FileRecord], report: Callable[[str], None]) -> int:
    report(path)
    return artifact.verify_files(store, path, files)
