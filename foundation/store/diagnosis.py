"""Looks at every byte that a snapshot stands on, and tells all that is damaged or missing, one by one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

from foundation.checks import require_digest
from foundation.errors import (
    AccessDeniedError,
    ArtifactRefusedError,
    FirstseenError,
    InputNotFoundError,
    UnknownVersionError,
)
from foundation.store.amendments import Amendments, read_amendments
from foundation.store.artifact import FileRecord, digest_of, verify_files
from foundation.store.encoders import ENCODER_DESCRIPTION, EncoderSpec, encoder_directory
from foundation.store.files import Store
from foundation.store.retractions import RETRACTIONS, read_retractions
from foundation.store.run_paths import RUN_DESCRIPTION, run_path
from foundation.store.runs import INVENTORY, Run, read_run
from foundation.store.segments import SEGMENT_DESCRIPTION, Segment, SegmentReference, read_segment, segment_directory
from foundation.store.snapshots import Snapshot, read_encoder

Kind = Literal["retractions", "encoder", "segment", "run"]
Read = TypeVar("Read")


@dataclass(frozen=True)
class Damage:
    """One file that is not as it was written: whose it is, its name there, and what is wrong with it."""

    kind: Kind
    name: str
    file: str
    problem: FirstseenError

    def __str__(self) -> str:
        """Returns one line."""
        return str(self.problem)


def tell_nobody(_: object) -> None:
    """Does nothing with what it is told."""


class Inspection:
    """Reads what a snapshot stands on, and tells `on_damage` each file that is damaged or missing; that may raise.

    `segments` and `runs` are those whose descriptions are sound, `checked_bytes` counts what was read. `on_artifact` is
    told each directory before its files are read.
    """

    def __init__(
        self,
        store: Store,
        *,
        on_damage: Callable[[Damage], None],
        on_artifact: Callable[[str], None] = tell_nobody,
        amendments: Amendments | None = None,
    ):
        self.checked_bytes = 0
        self.segments: dict[str, Segment] = {}
        self.runs: dict[str, Run] = {}
        self._store = store
        self._on_damage = on_damage
        self._on_artifact = on_artifact
        self._amendments = read_amendments(store) if amendments is None else amendments

    def look_at_snapshot(self, snapshot: Snapshot) -> None:
        """Looks at the chain of digests: the encoder, the segments, and the runs that they and the archives name."""
        self.look_at_retractions()
        self.look_at_encoder(snapshot)
        for reference in snapshot.segments:
            self._look_at_segment(reference)
        # A run that was cut into several segments is read once.
        for run_id, (digest, named_by) in self._named_runs(snapshot).items():
            self._look_at_named_run(snapshot.encoder_id, run_id, digest, named_by)
        for state in snapshot.archives.values():
            self._look_for_inventory(state.run_id)

    def look_at_retractions(self) -> None:
        """Tells the first entry that is damaged or missing: without it nobody knows what must be withheld."""
        self._read(lambda: read_retractions(self._store), "retractions", RETRACTIONS, "")

    def look_at_encoder(self, snapshot: Snapshot) -> None:
        """Looks at the snapshot's encoder."""
        encoder_id = snapshot.encoder_id
        spec = self._read(lambda: self._read_encoder(snapshot), "encoder", encoder_id, ENCODER_DESCRIPTION)
        if spec:
            self._look_at_files("encoder", encoder_id, encoder_directory(encoder_id), spec.files)

    def _read_encoder(self, snapshot: Snapshot) -> EncoderSpec:
        path = f"{encoder_directory(snapshot.encoder_id)}/{ENCODER_DESCRIPTION}"
        found, named_by = digest_of(self._store.read(path)), f"snapshot {snapshot.number}"
        require_digest(
            path, found, expected=snapshot.encoder_digest, named_by=named_by, remedy="restore it from a copy"
        )
        return read_encoder(self._store, snapshot)

    def look_at_run(self, run: Run) -> None:
        """Looks at the files of a run."""
        self.runs[run.run_id] = run
        self._look_at_files("run", run.run_id, run.directory, run.files)

    def _look_at_segment(self, reference: SegmentReference) -> None:
        name = reference.segment_id
        segment = self._read(lambda: read_segment(self._store, reference), "segment", name, SEGMENT_DESCRIPTION)
        if segment:
            self.segments[name] = segment
            self._look_at_files("segment", name, segment_directory(name), segment.files)

    def _named_runs(self, snapshot: Snapshot) -> dict[str, tuple[str, str]]:
        """Returns the digest that each run is expected to have, and who expects it."""
        by_snapshot = {
            state.run_id: (state.digest, f"snapshot {snapshot.number}") for state in snapshot.archives.values()
        }
        return by_snapshot | {
            run_id: (digest, f"segment {segment.segment_id}")
            for segment in self.segments.values()
            for run_id, digest in segment.runs.items()
        }

    def _look_at_named_run(self, encoder_id: str, run_id: str, digest: str, named_by: str) -> None:
        if self._amendments.is_given_up(encoder_id, run_id):
            return
        run = self._read(
            lambda: self._read_named_run(encoder_id, run_id, digest, named_by), "run", run_id, RUN_DESCRIPTION
        )
        if run:
            self.look_at_run(run)

    def _read_named_run(self, encoder_id: str, run_id: str, digest: str, named_by: str) -> Run:
        path = run_path(encoder_id, run_id)
        if not self._store.exists(path):
            raise InputNotFoundError(
                f"run {run_id}, which {named_by} was built from, is missing: no {path} in store {self._store.uri}; "
                "lookups go on, but the segment cannot be built again: restore the run from a copy, or pass it over: "
                "`firstseen repair`"
            )
        # The digest comes first: a damaged description may say that it is of another version.
        found, remedy = digest_of(self._store.read(path)), "restore it from a copy, or pass it over: `firstseen repair`"
        require_digest(f"run {run_id}", found, expected=digest, named_by=named_by, remedy=remedy)
        return read_run(self._store, encoder_id, run_id, self._amendments)[0]

    def _look_for_inventory(self, run_id: str) -> None:
        """Tells of the last run of an archive if an earlier repair had to leave it without its inventory."""
        run = self.runs.get(run_id)
        if run and run.generation:
            self._read(lambda: run.inventory_file, "run", run_id, INVENTORY)

    def _look_at_files(self, kind: Kind, name: str, directory: str, files: Mapping[str, FileRecord]) -> None:
        self._on_artifact(directory)
        for file in files:
            checked = self._read(partial(verify_files, self._store, directory, {file: files[file]}), kind, name, file)
            self.checked_bytes += checked or 0

    def _read(self, read: Callable[[], Read], kind: Kind, name: str, file: str) -> Read | None:
        """Returns what is read, or tells what is wrong with it and returns None."""
        try:
            return read()
        except (UnknownVersionError, AccessDeniedError):
            # A later program wrote it, for what is damaged has another digest; or another user may read it.
            raise
        except (ArtifactRefusedError, InputNotFoundError) as error:
            self._on_damage(Damage(kind, name, file, error))
            return None
