"""Finds out what of a store is damaged, and what that means: for its segments, its runs and how its archives stand."""

from collections.abc import Callable
from dataclasses import dataclass, field

from foundation.errors import ArtifactRefusedError
from foundation.store.amendments import Amendments, read_amendments
from foundation.store.chains import FinishedRun, RunsOfEncoder, read_runs, waiting_runs
from foundation.store.diagnosis import Damage, Inspection
from foundation.store.encoders import list_encoders
from foundation.store.files import Store
from foundation.store.run_paths import RUN_DESCRIPTION
from foundation.store.runs import INVENTORY, REJECTS, Features
from foundation.store.segments import Segment
from foundation.store.snapshots import Snapshot, newest_whole_snapshot, snapshot_numbers
from pipelines.encode.previous import Previous
from pipelines.index.plan import generations
from pipelines.repair.differences import State


@dataclass
class Findings:
    """What is wrong with a store, beside what is right with it.

    `base` is the newest snapshot that can be read, `newest` the number of the newest there is; `unreadable` says why
    later ones cannot be. `runs` are those of the base's encoder, `damages` all files that are damaged or missing;
    `segments` are those whose descriptions are sound, `waiting` the encoders of the runs that are not indexed yet.
    """

    base: Snapshot | None
    newest: int
    unreadable: dict[int, str]
    amendments: Amendments
    runs: RunsOfEncoder
    damages: list[Damage] = field(default_factory=list)
    segments: dict[str, Segment] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it was written."""
        return not (self.damages or self.unreadable or self.amendments.damaged)

    def of(self, kind: str) -> dict[str, list[str]]:
        """Returns the damaged files by the name of the segment, run or encoder that they belong to."""
        found: dict[str, list[str]] = {}
        for one in self.damages:
            if one.kind == kind:
                found.setdefault(one.name, []).append(one.file)
        return found

    @property
    def whole_segments(self) -> list[Segment]:
        """The segments of the base without any damage, in its order."""
        damaged = self.of("segment")
        names = [one.segment_id for one in self.base.segments] if self.base else []
        return [self.segments[name] for name in names if name in self.segments and name not in damaged]

    @property
    def features(self) -> Features:
        """Whether photos of this store are encoded with local features."""
        return "local" if any(one.run.features == "local" for one in self.runs.finished) else "none"

    def encoder_of(self, run_id: str) -> str:
        """Returns the encoder of a damaged run."""
        return self.waiting[run_id] if run_id in self.waiting or self.base is None else self.base.encoder_id


def find_damage(store: Store, *, on_artifact: Callable[[str], None]) -> Findings:
    """Reads all that the newest whole snapshot stands on, and the runs that wait to be indexed.

    Raises ArtifactRefusedError for a damaged retraction: it may name any photo, and nothing is built without it.
    """
    base, unreadable = newest_whole_snapshot(store)
    amendments = read_amendments(store)
    findings = Findings(
        base=base,
        newest=max(snapshot_numbers(store), default=0),
        unreadable=unreadable,
        amendments=amendments,
        runs=read_runs(store, base.encoder_id) if base else RunsOfEncoder([]),
    )
    inspection = Inspection(store, on_damage=findings.damages.append, on_artifact=on_artifact, amendments=amendments)
    inspection.look_at_snapshot(base) if base else inspection.look_at_retractions()
    for damage in findings.damages:
        if damage.kind == "retractions":
            raise ArtifactRefusedError(str(damage))
    findings.segments = inspection.segments
    named = set(inspection.runs) | set(findings.of("run"))
    for encoder_id in list_encoders(store):
        _look_at_waiting(store, encoder_id, findings, inspection, named)
    return findings


def _look_at_waiting(
    store: Store, encoder_id: str, findings: Findings, inspection: Inspection, named: set[str]
) -> None:
    """Looks at the runs of one encoder that nothing was built from yet."""
    base = findings.base if findings.base and findings.base.encoder_id == encoder_id else None
    runs = findings.runs if base else read_runs(store, encoder_id)
    for run in (one.run for one in waiting_runs(runs.finished, base)):
        if run.run_id not in named:
            findings.waiting[run.run_id] = encoder_id
            inspection.look_at_run(run)
    for run_id, problem in runs.damaged.items():
        # One that was left out before stands in nobody's way.
        if run_id not in named and not (base and run_id in base.left_out):
            findings.waiting[run_id] = encoder_id
            findings.damages.append(Damage("run", run_id, RUN_DESCRIPTION, ArtifactRefusedError(problem)))


def find_states(findings: Findings) -> list[State]:
    """Returns how each archive of the base stands; where its inventory is lost, nobody but the segments knows."""
    if findings.base is None:
        return []
    return [_state(findings, archive, state.run_id) for archive, state in findings.base.archives.items()]


def _state(findings: Findings, archive: str, run_id: str) -> State:
    runs = [one for one in findings.runs.finished if one.run.archive == archive]
    last = [one for one in runs if one.run.run_id == run_id]
    known = max([one.run.generation for one in runs], default=0)
    damaged = findings.of("run")
    if not last or RUN_DESCRIPTION in damaged.get(run_id, []):
        return State(archive, known, None)
    if last[0].run.generation:
        lost = any(is_inventory(name) for name in damaged.get(run_id, []))
        return State(archive, last[0].run.generation, None if lost else Previous(last, []))
    return _older_state(archive, runs, damaged)


def _older_state(archive: str, runs: list[FinishedRun], damaged: dict[str, list[str]]) -> State:
    """Returns how an archive of older runs stands: each of them says of its own photos alone what they hold."""
    older = sorted((one for one in runs if not one.run.generation), key=lambda one: one.run.run_id)
    lost = any(not name.startswith("rejects") for one in older for name in damaged.get(one.run.run_id, []))
    is_lost = lost or not all(one.is_whole for one in older)
    return State(archive, max(generations(older).values()), None if is_lost else Previous(older, []))


def is_inventory(name: str) -> bool:
    """Returns whether a file of a run is its inventory, which an amendment may have named anew."""
    return name.startswith(INVENTORY.partition(".")[0])


def is_rejects(name: str) -> bool:
    """Returns whether a file of a run says which photos it rejected: nothing is built of it."""
    return name.startswith(REJECTS.partition(".")[0])
