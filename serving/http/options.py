"""Checks how the service is asked to run: where it listens, and what a request may cost."""

from dataclasses import dataclass

from foundation.checks import require_range


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Where the service listens, and what one request may bring and take.

    `max_body_bytes` of one request, `max_bodies_bytes` of all that are in memory at a time; `max_images` of a request;
    a body must be there after `body_seconds`, and an answer after `request_seconds`. Raises UsageError for a value out
    of range.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    max_body_bytes: int = 64 * 2**20
    max_bodies_bytes: int = 512 * 2**20
    max_images: int = 64
    header_seconds: float = 10
    body_seconds: float = 20
    request_seconds: float = 60
    drain_seconds: float = 30

    def __post_init__(self) -> None:
        require_range("--port", self.port, 0, 65_535)
        require_range("--max-body-bytes", self.max_body_bytes, 1_024, 2**31 - 1)
        require_range("--max-bodies-bytes", self.max_bodies_bytes, self.max_body_bytes, remedy="one body must fit")
        require_range("--max-images", self.max_images, 1, 1_000)
        require_range("--header-seconds", self.header_seconds, 1, 600)
        require_range("--body-seconds", self.body_seconds, 1, 3_600)
        require_range("--request-seconds", self.request_seconds, 1, 3_600)
        require_range("--drain-seconds", self.drain_seconds, 0, 3_600)
