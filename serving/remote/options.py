"""Checks how long a client waits for a server."""

from dataclasses import dataclass

from foundation.checks import require_range


@dataclass(frozen=True, kw_only=True)
class RemoteOptions:
    """How long a connection may take, a silence of the server, and all tries of one request together.

    A server that is busy or restarts is asked again until `patience_seconds` are over; it says itself when.
    """

    connect_seconds: float = 5
    read_seconds: float = 60
    patience_seconds: float = 120

    def __post_init__(self) -> None:
        """Raises UsageError on a value out of range, naming both."""
        require_range("connect_seconds", self.connect_seconds, 0.1, 600)
        require_range("read_seconds", self.read_seconds, 0.1, 600)
        require_range("patience_seconds", self.patience_seconds, 0, 86_400)
