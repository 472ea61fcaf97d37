"""Reads what the environment says of how to serve; flags of the command line win."""

from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from foundation.errors import UsageError

PREFIX = "FIRSTSEEN_SERVE_"


class ServeSettings(BaseSettings):
    """Variables that begin with FIRSTSEEN_SERVE_ and go on with the name of a flag in capitals; lists have commas."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True)

    store: str | None = None
    host: str | None = None
    port: int | None = None
    keys: str | None = None
    insecure: bool | None = None
    allow_uri: str | None = None
    allow_host: str | None = None
    max_body_bytes: int | None = None
    max_bodies_bytes: int | None = None
    max_images: int | None = None
    max_pixels: int | None = None
    header_seconds: float | None = None
    body_seconds: float | None = None
    request_seconds: float | None = None
    drain_notice_seconds: float | None = None
    drain_seconds: float | None = None
    keep_minutes: float | None = None
    snapshot_poll_seconds: float | None = None
    batch_size: int | None = None
    queue_queries: int | None = None
    canaries: int | None = None
    deadline_seconds: float | None = None


def read_settings() -> dict[str, Any]:
    """Returns what the environment sets, by the names of options; raises UsageError for a value that is none."""
    try:
        found = ServeSettings().model_dump(exclude_none=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = f"{PREFIX}{str(first['loc'][0]).upper()}"
        raise UsageError(f"{name} is {first['input']!r}: {first['msg']}; expected what the flag takes") from error
    return found | {
        name: tuple(filter(None, map(str.strip, found[name].split(","))))
        for name in ("allow_uri", "allow_host")
        if name in found
    }
