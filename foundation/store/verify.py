"""Checks that every byte that a snapshot stands on is still the one that was written."""

from collections.abc import Callable

from foundation.errors import ArtifactRefusedError
from foundation.store import artifact
from foundation.store.encoders import encoder_directory
from foundation.store.files import Store
from foundation.store.runs import read_run
from foundation.store.segments import read_segment, segment_directory
from foundation.store.snapshots import Snapshot, read_encoder, read_snapshot


def verify(
    store: Store, number: int | None = None, *, on_artifact: Callable[[str], None] | None = None
) -> tuple[Snapshot, int]:
    """Checks the digest of every file that a snapshot lists; returns (snapshot, bytes read).

    The chain: the snapshot names its encoder and its segments, a segment its runs, each of them its files. Raises
    ArtifactRefusedError at the first that differs, InputNotFoundError at the first that is missing.
    """
    report = on_artifact or (lambda path: None)
    snapshot = read_snapshot(store, number)
    spec = read_encoder(store, snapshot)
    checked = _verify(store, encoder_directory(spec.encoder_id), spec.files, report)
    segments = [read_segment(store, reference) for reference in snapshot.segments]
    for segment in segments:
        checked += _verify(store, segment_directory(segment.segment_id), segment.files, report)
    runs = {run_id: digest for segment in segments for run_id, digest in segment.runs.items()}
    for run_id, expected in runs.items():
        run, digest = read_run(store, snapshot.encoder_id, run_id)
        if digest != expected:
            raise ArtifactRefusedError(
                f"run {run_id} has the digest {digest[:12]}…, the snapshot was built from {expected[:12]}…; "
                "restore it from a copy"
            )
        checked += _verify(store, run.directory, run.files, report)
    return snapshot, checked


def _verify(store: Store, path: str, files: dict[str, artifact.FileRecord], report: Callable[[str], None]) -> int:
    report(path)
    return artifact.verify_files(store, path, files)
