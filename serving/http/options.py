"""Checks how the service is asked to run: where it listens, who may ask, and what a request may cost."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from foundation.checks import require_range
from foundation.errors import UsageError
from serving.http.addresses import is_public
from serving.live.options import LiveOptions

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(:[0-9]{1,5})?")


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """Where the service listens, who may ask it, and what one request may bring and take.

    `max_body_bytes` of one request, `max_bodies_bytes` of all that are in memory at a time; `max_images` of a request.
    The header of a request must be there after `header_seconds`, its body after `body_seconds`, and its answer after
    `request_seconds`; at the end, who probes the service is told for `drain_notice_seconds`, and what is being answered
    has `drain_seconds`. What the page found is kept in memory for
    `keep_minutes`. `allow_uri` are prefixes below which queries may name photos, `allow_host` the hosts that they may
    be fetched from by http(s). Raises UsageError for a value out of range, and for an address that others reach without
    keys, unless `insecure`.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    keys: Path | None = None
    insecure: bool = False
    allow_uri: tuple[str, ...] = ()
    allow_host: tuple[str, ...] = ()
    max_body_bytes: int = 64 * 2**20
    max_bodies_bytes: int = 512 * 2**20
    max_images: int = 64
    max_pixels: int = 100_000_000
    header_seconds: float = 10
    body_seconds: float = 25
    request_seconds: float = 60
    drain_notice_seconds: float = 2
    drain_seconds: float = 30
    keep_minutes: float = 60

    def __post_init__(self) -> None:
        if not (_is_address(self.host) or _NAME.fullmatch(self.host)):
            raise UsageError(
                f"--host is {self.host!r}; expected an address or a name alone, such as 127.0.0.1 or ::1: the port is "
                "--port"
            )
        require_range("--port", self.port, 0, 65_535)
        require_range("--max-body-bytes", self.max_body_bytes, 1_024, 2**31 - 1)
        require_range("--max-bodies-bytes", self.max_bodies_bytes, self.max_body_bytes, remedy="one body must fit")
        require_range("--max-images", self.max_images, 1, 1_000)
        require_range("--max-pixels", self.max_pixels, 64, 300_000_000)
        require_range("--header-seconds", self.header_seconds, 1, 600)
        require_range("--body-seconds", self.body_seconds, 1, 3_600)
        require_range("--request-seconds", self.request_seconds, 1, 3_600)
        require_range("--drain-notice-seconds", self.drain_notice_seconds, 0, 600)
        require_range("--drain-seconds", self.drain_seconds, 0, 3_600)
        require_range("--keep-minutes", self.keep_minutes, 1, 1_440, remedy="results are kept in memory alone")
        for host in self.allow_host:
            _check_allowed(host)
        if not (self.keys or self.insecure or is_loopback(self.host)):
            raise UsageError(
                f"--host is {self.host}, which other machines reach, and no keys are asked for; expected --keys FILE: "
                "`firstseen keys add FILE NAME` makes one (or --insecure, and everybody who reaches it may ask)"
            )


def check_together(options: ServeOptions, live: LiveOptions) -> None:
    """Raises UsageError where the service promises more than its engine takes: every such request would be refused."""
    if options.max_images > live.queue_queries:
        raise UsageError(
            f"--max-images is {options.max_images} and --queue-queries {live.queue_queries}; expected a "
            "queue that takes all queries of a request: give it more, or a request fewer"
        )
    if live.deadline_seconds > options.request_seconds:
        raise UsageError(
            f"--deadline-seconds is {live.deadline_seconds:g} and --request-seconds {options.request_seconds:g}; "
            "expected a request to have as long as a query of it: give it more, or a query less"
        )


def _check_allowed(host: str) -> None:
    """Raises UsageError for an --allow-host that is none, or that nothing is ever fetched from."""
    name = host.rpartition(":")[0] if host.count(":") == 1 else host
    if _is_address(name):
        if not is_public(name):
            raise UsageError(f"--allow-host is {host}, an address that is not public; expected a host of the internet")
        return
    if not _HOST.fullmatch(host):
        raise UsageError(f"--allow-host is {host!r}; expected a name alone, or NAME:PORT: img.example.org")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Returns whether a name or an address means this machine alone."""
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
