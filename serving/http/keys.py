"""Reads and writes files of API keys: what is kept of a key is its digest, which nobody can turn back."""

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import Annotated, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from foundation.checks import require_choice, require_range
from foundation.errors import InputNotFoundError, UsageError
from foundation.files import alone_in, finished_file

Role = Literal["search", "admin"]
PREFIX = "fsk_"
# An editor or a secret that a cluster mounts may take the file away for a moment.
GRACE_SECONDS = 10.0
MOST_REQUESTS_PER_MINUTE = 1_000_000
NAME = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"


class Key(BaseModel):
    """What is kept of one key: who has it, its SHA-256 in hex, what it may do, how often, and until when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", repr=False)]
    roles: Annotated[list[Role], Field(min_length=1)]
    requests_per_minute: Annotated[int, Field(ge=1, le=MOST_REQUESTS_PER_MINUTE)] | None = None
    expires_at: AwareDatetime | None = None

    def is_expired(self, now: datetime) -> bool:
        """Returns whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[Key]


class KeyFile:
    """The keys of a file, which is read again whenever it changes: a key that is removed from it is refused at once.

    A file that cannot be read any more leaves the keys as they were for GRACE_SECONDS, in which somebody may be writing
    it, and then refuses all of them; it is told to `on_problem`. Raises UsageError for one that is broken at the start,
    InputNotFoundError for one that is not there.
    """

    def __init__(self, path: Path, *, on_problem: Callable[[str], None], clock: Callable[[], float] = monotonic):
        self._path, self._on_problem, self._clock = path, on_problem, clock
        self._state = _state(path)
        self._keys = read_keys(path)
        self._broken_at: float | None = None

    def find(self, secret: str) -> Key | None:
        """Returns the key, expired or not, or None for one that is in no list."""
        self._refresh()
        digest = digest_of(secret)
        found = None
        # Each is compared in full, so that the time tells nothing about which of them come near.
        for key in self._keys:
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found

    def _refresh(self) -> None:
        state = _state(self._path)
        if state != self._state:
            self._state = state
            try:
                self._keys, self._broken_at = read_keys(self._path), None
            except (UsageError, InputNotFoundError) as error:
                self._broken_at = self._broken_at or self._clock()
                self._on_problem(f"all keys are refused in {GRACE_SECONDS:g} s: {error}")
        # One of them may be the key that somebody just removed.
        if self._broken_at is not None and self._clock() - self._broken_at >= GRACE_SECONDS:
            self._keys = []


def digest_of(secret: str) -> str:
    """Returns the SHA-256 of a key in hex; a key has 256 random bits, which no slower hash makes harder to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def read_keys(path: Path) -> list[Key]:
    """Returns the keys of a file; raises InputNotFoundError without one, UsageError for one that is broken."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputNotFoundError(
            f"the keys in {path} cannot be read: {error.strerror}; expected a file that `firstseen keys add` wrote"
        ) from error
    try:
        keys = _File.model_validate_json(text).keys
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise UsageError(
            f"{path} is no file of keys: {where}: {first['msg']}; expected what `firstseen keys add` writes"
        ) from error
    names = [key.name for key in keys]
    if len(set(names)) < len(names):
        raise UsageError(f"{path} names a key twice; expected one of each name: remove one of them from the file")
    return keys


def add_key(
    path: Path,
    name: str,
    *,
    roles: Sequence[str],
    requests_per_minute: int | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Adds a key to a file, which is made if there is none, and returns the key: it is kept nowhere.

    Raises UsageError for a name that is taken or that is none, and for other values out of range.
    """
    if not re.fullmatch(NAME, name):
        raise UsageError(f"the name is {name!r}; expected up to 64 letters of ASCII, digits, or . _ @ - between them")
    if not roles:
        raise UsageError(f"no role is given; expected some of: {', '.join(get_args(Role))}")
    for role in roles:
        require_choice("--role", role, get_args(Role))
    if requests_per_minute is not None:
        require_range("--requests-per-minute", requests_per_minute, 1, MOST_REQUESTS_PER_MINUTE)
    secret = PREFIX + secrets.token_urlsafe(32)
    key = Key(
        name=name,
        sha256=digest_of(secret),
        roles=list(dict.fromkeys(roles)),  # type: ignore[arg-type]
        requests_per_minute=requests_per_minute,
        expires_at=expires_at,
    )
    with _alone(path):
        keys = read_keys(path) if path.exists() else []
        if any(one.name == name for one in keys):
            raise UsageError(
                f"{path} has a key {name!r} already; expected another name: remove that one, or name this one"
            )
        _write(path, [*keys, key])
    return secret


def remove_key(path: Path, name: str) -> None:
    """Removes a key from a file; raises InputNotFoundError if the file has none of that name."""
    with _alone(path):
        keys = read_keys(path)
        kept = [key for key in keys if key.name != name]
        if len(kept) == len(keys):
            names = f"one of: {', '.join(key.name for key in keys)}" if keys else "a file with keys: it holds none"
            raise InputNotFoundError(f"{path} has no key {name!r}; expected {names}")
        _write(path, kept)


def now() -> datetime:
    """Returns the time by which keys expire."""
    return datetime.now(timezone.utc)


def _alone(path: Path) -> AbstractContextManager[None]:
    """Waits until nobody else changes the file: of two changes at once one is lost, and a removed key may come back."""
    folder = path.resolve().parent
    if not folder.is_dir():
        # A folder that is made of a misspelt name would hold keys that no service reads.
        raise InputNotFoundError(f"there is no folder {path.parent}; expected one: make it first, or mend the name")
    return alone_in(folder)


def _write(path: Path, keys: list[Key]) -> None:
    text = json.dumps({"keys": [key.model_dump(mode="json", exclude_none=True) for key in keys]}, indent=1)
    path = path.resolve()  # a link stays one, and what it leads to is what a service reads
    before = path.stat() if path.exists() else None
    with finished_file(path) as partial:
        # Digests of keys are no secrets, but whoever may write this file may open the door.
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            if before:
                _give_to(descriptor, before, path)


def _give_to(descriptor: int, before: os.stat_result, path: Path) -> None:
    """Gives a file the owner and the mode of the one that it replaces: a service may read it as another user."""
    made = os.fstat(descriptor)
    try:
        if (made.st_uid, made.st_gid) != (before.st_uid, before.st_gid):
            os.fchown(descriptor, before.st_uid, before.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
    except OSError as error:
        raise UsageError(
            f"{path} is of the user {before.st_uid}, and would not be any more; expected that user, or root: nothing "
            "was written"
        ) from error


def _state(path: Path) -> tuple[int, ...]:
    """Returns what changes with a file, nothing if it is not there."""
    with suppress(OSError):
        found = path.stat()
        # Whoever may read it changes its ctime, too.
        return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    return ()
