"""Plans a lookup job: its options, checked; the chunks, rounds and groups of segments that its work is cut into."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from foundation.checks import require_range
from pipelines.index.memory import limit_per_worker
from pipelines.runners.names import LOCAL
from serving.match.options import MatchOptions

# One chunk is one element of the pipeline, at least: some 40 MB of pictures, and what a killed job does again.
CHUNK_QUERIES = 128
# A round leaves working files of at most 0.5 MB a query until it is done. Between rounds worker processes start anew
# and load the encoder, which takes some 20 s: a worker gets minutes of work at a time.
ROUND_QUERIES_PER_WORKER = 4_096


@dataclass(frozen=True, kw_only=True)
class LookupOptions:
    """What is looked up in, how, and where the job runs.

    `workers` are the processes of the local runner; of another one `look_up` finds out how many to reckon with.
    `memory_limit` is what the user gave for all workers of this machine, or for each on others. A chunk holds whole
    batches of the encoder, so that its vectors are those of the small path.
    """

    store: str
    snapshot: int | None = None
    match: MatchOptions = field(default_factory=MatchOptions)
    runner: str = LOCAL
    workers: int = 1
    memory_limit: str | None = None
    beam_flags: tuple[str, ...] = ()
    chunk_queries: int = CHUNK_QUERIES
    round_queries: int | None = None

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("workers", self.workers, 1)
        require_range("chunk_queries", self.chunk_queries, 1)

    @cached_property
    def limit_bytes(self) -> int | None:
        """The memory of a worker, if anything is known of it: what is free may change, and is asked once."""
        return limit_per_worker(self.memory_limit, runner=self.runner, workers=self.workers)

    @property
    def queries_per_chunk(self) -> int:
        """How many queries a chunk has: whole batches."""
        return -(-self.chunk_queries // self.match.batch_size) * self.match.batch_size

    @property
    def chunks_per_round(self) -> int:
        """How many chunks a round has, at least one."""
        queries = self.round_queries or ROUND_QUERIES_PER_WORKER * self.workers
        return max(1, queries // self.queries_per_chunk)


class Group(NamedTuple):
    """Segments of the snapshot that a worker opens together: from the first number to before the end."""

    first: int
    end: int

    @property
    def numbers(self) -> list[int]:
        """The numbers of the segments."""
        return list(range(self.first, self.end))


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A lookup job as its workers know it: what is asked of which snapshot, and how the work is cut.

    `queries_sha256` is the digest (hex) of the list of queries, whose relative names begin in `folder`. The chunks of a
    group are searched in `slices` pieces, so that every worker has some of them also where there are fewer groups than
    workers.
    """

    lookup_id: str
    snapshot: int
    queries: int
    queries_sha256: str
    queries_per_chunk: int
    folder: str
    match: MatchOptions
    groups: tuple[Group, ...]
    slices: int

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.queries // self.queries_per_chunk)

    def size(self, chunk: int) -> int:
        """Returns how many queries a chunk has."""
        return min(self.queries_per_chunk, self.queries - chunk * self.queries_per_chunk)


def plan_groups(bytes_of_segments: Sequence[int], limit: int | None) -> tuple[Group, ...]:
    """Returns groups of segments that follow each other, as large as the limit allows; a segment each without one.

    A segment that is larger than the limit is a group by itself. Without any segment there is one empty group: queries
    are answered all the same.
    """
    groups: list[Group] = []
    held = 0
    for number, size in enumerate(bytes_of_segments):
        if groups and limit is not None and held + size <= limit:
            groups[-1] = Group(groups[-1].first, number + 1)
            held += size
        else:
            groups.append(Group(number, number + 1))
            held = size
    return tuple(groups) or (Group(0, 0),)


def plan_slices(groups: int, workers: int) -> int:
    """Returns in how many pieces the work of each group is cut, so that there is a piece for each worker."""
    return -(-workers // groups)


def plan_rounds(chunks: Sequence[int], per_round: int) -> Iterator[list[int]]:
    """Yields the chunks of each round."""
    left = iter(chunks)
    while some := list(islice(left, per_round)):
        yield some
