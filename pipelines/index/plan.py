"""Plans segments: which shards make which one; nothing is read."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from foundation.checks import require_range
from foundation.errors import UsageError
from foundation.store.artifact import FileRecord
from foundation.store.chains import FinishedRun
from foundation.store.occurrences import Occurrence
from foundation.store.runs import Features
from pipelines.index.memory import most_rows, require_memory

# The recall@10 that is aimed at, unless more is asked for.
DEFAULT_TARGET_RECALL = 0.95


@dataclass(frozen=True)
class ShardReference:
    """One embedding shard: its path in the store, rows and digest, and whether it holds local features.

    `archive` and `generation` are those of its run, which its occurrences have.
    """

    path: str
    rows: int
    record: FileRecord
    features: Features = "none"
    archive: str = ""
    generation: int = 0

    @property
    def directory(self) -> str:
        """The directory of the run that the shard belongs to."""
        return self.path.rpartition("/")[0]


@dataclass(frozen=True)
class ChangesReference:
    """The changes of one run: their file in the store and its digest, and the run's archive and generation."""

    path: str
    record: FileRecord
    archive: str
    generation: int


@dataclass(frozen=True)
class SegmentPlan:
    """One segment to build: its place among the others, its shards, and the digests of the runs they belong to."""

    number: int
    shards: list[ShardReference]
    runs: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a build has to know beside its shards: the changes of the runs, and what other segments hold.

    `held` are files of content hashes of the segments that stay, `held_with_features` those of them alone that have
    local features of all their contents; `withdrawn` are contents (32 bytes each) that no segment takes up. Where
    `said` is given, it says by content where it occurs, and neither the shards nor any changes are asked for that.
    """

    said: Mapping[bytes, Sequence[Occurrence]] | None = None
    changes: list[ChangesReference] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    held_with_features: list[str] = field(default_factory=list)
    withdrawn: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class IndexOptions:
    """How segments are cut, built and judged; which runs are left out, and which of those left out are taken up again.

    `allow_shrink` lets a switch to another encoder lose the archives that were not encoded with it.

    A build holds what `pipelines.index.memory` estimates, at most `memory_limit_bytes` per worker, and segments have
    fewer rows than `max_segment_rows` where that is needed; None is no limit. Vectors and local features are written to
    files of 21 KB a row in the folder for temporary files (TMPDIR), which should be on a disk: 21 GB at the default.
    """

    max_segment_rows: int = 1_000_000
    memory_limit_bytes: int | None = None
    exact_below: int = 20_000
    min_recall: float = 0.95
    target_recall: float | None = None
    leave_out: tuple[str, ...] = ()
    take_up: tuple[str, ...] = ()
    allow_shrink: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("max-segment-rows", self.max_segment_rows, 1)
        require_range("exact-below", self.exact_below, 0, remedy="0 builds ScaNN always")
        require_range("min-recall", self.min_recall, 0, 1)
        if self.target_recall is None:
            return
        require_range("target-recall", self.target_recall, 0, 1)
        if self.target_recall < self.min_recall:
            raise UsageError(
                f"target-recall is {self.target_recall}; expected at least min-recall, {self.min_recall}, under which "
                "nothing is published: lower --min-recall too"
            )

    @property
    def aim(self) -> float:
        """The recall@10 that the search of a segment is chosen for."""
        return max(DEFAULT_TARGET_RECALL, self.min_recall) if self.target_recall is None else self.target_recall


def plan_segments(runs: Sequence[FinishedRun], options: IndexOptions) -> list[SegmentPlan]:
    """Returns the segments to build of some runs; changes alone make one without shards.

    A segment names the digests of the runs that its shards belong to: with them the chain reaches from the snapshot
    down to the encoder.
    """
    by_directory = {one.run.directory: (one.run.run_id, one.digest) for one in runs}
    changes = sum(one.run.changes for one in runs)
    groups = group_within_limits(list_shards(runs), runs[0].run.dimension if runs else 1, options, changes=changes)
    with_changes = {one.run.run_id: one.digest for one in runs if one.run.changes}
    if with_changes and not groups:
        groups = [[]]
    plans = [
        SegmentPlan(number, shards, dict(sorted({by_directory[shard.directory] for shard in shards})))
        for number, shards in enumerate(groups)
    ]
    # The first one takes the changes of contents that none of them holds.
    return [replace(plan, runs=plan.runs | with_changes) if plan.number == 0 else plan for plan in plans]


def generations(runs: Sequence[FinishedRun]) -> dict[str, int]:
    """Returns the generation of each run, by its id; those of older versions come before all others, in their order."""
    older = [one.run.run_id for one in runs if not one.run.generation]
    return {one.run.run_id: one.run.generation for one in runs} | {
        run_id: number - len(older) for number, run_id in enumerate(older)
    }


def list_shards(runs: Sequence[FinishedRun]) -> list[ShardReference]:
    """Returns the shards of some runs, in the order of the runs."""
    known = generations(runs)
    return [
        ShardReference(f"{run.directory}/{name}", run.rows[name], record, run.features, run.archive, known[run.run_id])
        for run in (one.run for one in runs)
        for name, record in sorted(run.shards.items())
    ]


def list_changes(runs: Sequence[FinishedRun]) -> list[ChangesReference]:
    """Returns the changes of some runs, in their order."""
    return [
        ChangesReference(
            f"{run.directory}/{run.changes_file}", run.files[run.changes_file], run.archive, run.generation
        )
        for run in (one.run for one in runs)
        if run.changes
    ]


def group_within_limits(
    shards: Sequence[ShardReference], dimension: int, options: IndexOptions, *, changes: int = 0
) -> list[list[ShardReference]]:
    """Returns the shards cut into groups that have no more rows than wanted, and than memory allows beside the changes.

    Raises UsageError if one shard alone, or the changes without any, take more memory to build than the limit.
    """
    limit = options.memory_limit_bytes
    if limit is None:
        return group_shards(shards, max_rows=options.max_segment_rows)
    has_features = any(shard.features == "local" for shard in shards)
    allowed = most_rows(limit, dimension, has_features=has_features, changes=changes)
    groups = group_shards(shards, max_rows=min(options.max_segment_rows, max(1, allowed)))
    for group in groups or ([[]] if changes else []):
        rows = sum(shard.rows for shard in group)
        require_memory(rows, dimension, limit, has_features=has_features, changes=changes)
    return groups


def group_shards(shards: Sequence[ShardReference], *, max_rows: int) -> list[list[ShardReference]]:
    """Returns the shards in their order, cut into the fewest groups of about equal size under `max_rows`.

    A shard is never split: one that is larger than `max_rows` makes a group of its own.
    """
    # As few as can be, since every lookup searches each of them. Filling one after the other does that too, and leaves
    # a small one at the end; but the largest decides how long the index takes, and how much memory.
    fewest = len(_fill(shards, max_rows))
    # The smallest capacity that needs no more groups makes the largest group as small as it can be.
    smallest = bisect_left(range(max_rows), -fewest, key=lambda capacity: -len(_fill(shards, capacity)))
    return _fill(shards, smallest)


def _fill(shards: Sequence[ShardReference], capacity: int) -> list[list[ShardReference]]:
    groups: list[list[ShardReference]] = []
    rows = 0
    for shard in shards:
        if not groups or rows + shard.rows > capacity:
            groups.append([])
            rows = 0
        groups[-1].append(shard)
        rows += shard.rows
    return groups
