"""Says what an engine tells of its work while it goes on, for metrics."""

from typing import Literal, Protocol

from serving.match.match import Outcome

Stage = Literal["decode", "queue", "encode", "search", "verify"]
Swap = Literal["swapped", "refused", "failed"]


class Observer(Protocol):
    """Is told what happens, from any thread; a call that takes long holds up the queries."""

    def stage(self, name: Stage, seconds: float) -> None:
        """A query was decoded, verified, or waited in queues so long; a batch was encoded or searched so long."""

    def batch(self, size: int) -> None:
        """So many queries were taken together by the encoder."""

    def outcome(self, outcome: Outcome) -> None:
        """A query came to this."""

    def swap(self, result: Swap) -> None:
        """A new snapshot answers, or was refused, or could not be read at the moment."""


class Unobserved:
    """An Observer that does nothing."""

    def stage(self, name: Stage, seconds: float) -> None:
        """Does nothing."""

    def batch(self, size: int) -> None:
        """Does nothing."""

    def outcome(self, outcome: Outcome) -> None:
        """Does nothing."""

    def swap(self, result: Swap) -> None:
        """Does nothing."""
