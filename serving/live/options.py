"""Checks how often a live store is looked at, how many queries wait in it, and for how long."""

from dataclasses import dataclass

from foundation.checks import require_range


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """How a store is served: seconds between two looks for a newer snapshot, and the sizes of batch and queue.

    `batch_size` is the most queries that the encoder takes together, `queue_queries` the most that are in the hands of
    the engine, from decoding to answered; a query that took longer than `deadline_seconds` is given up. So many
    `canaries`, photos of a new snapshot, are looked up before it answers.
    """

    snapshot_poll_seconds: float = 15
    batch_size: int = 32
    queue_queries: int = 128
    canaries: int = 8
    deadline_seconds: float = 30

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("--snapshot-poll-seconds", self.snapshot_poll_seconds, 0.01, 3_600)
        require_range("--batch-size", self.batch_size, 1, 4_096, remedy="memory grows with it")
        # A decoded query takes 1.3 MB until it is answered.
        require_range("--queue-queries", self.queue_queries, 1, 100_000, remedy="each takes some 1.5 MB")
        require_range("--canaries", self.canaries, 0, 1_000, remedy="each is searched for before a snapshot answers")
        require_range("--deadline-seconds", self.deadline_seconds, 0.01, 3_600)
