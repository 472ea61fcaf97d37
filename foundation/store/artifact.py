"""Reads and writes the JSON that describes an artifact: validated, upgraded from older versions, created once.

The digest of an artifact is the SHA-256 of its JSON, which lists size and SHA-256 of every file: one number stands
for the whole directory. docs/contracts.md says what a version promises.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import cache
from importlib import metadata
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from foundation.errors import ArtifactRefusedError, InputNotFoundError, UnknownVersionError
from foundation.store.files import Store

Description = TypeVar("Description")

# What to do about a file of the store that is damaged or missing.
REMEDY = "restore it from a copy, or mend the store: `firstseen repair`"

# For what a program writes for itself alone: every field is known.
STRICT = ConfigDict(extra="forbid", strict=True)
# For contracts: a later program of the same version may have added a field that readers can do without.
CONTRACT = ConfigDict(extra="ignore", strict=True)

# By version n: the function that makes the JSON object of version n + 1 from one of version n. A contract that has
# predecessors names its own as the class variable `upgrades`. The functions are pure: digests are those of the bytes
# that were read, and nothing in the store changes.
Upgrades = Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]]


@dataclass(frozen=True)
class FileRecord:
    """Size in bytes and SHA-256 (hex) of one file."""

    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


# No part begins with a dot and none is empty: a description cannot point out of its own directory.
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")]
Files = dict[FileName, FileRecord]


def _check_timestamp(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time without an offset from UTC")
    return text


# A time as `now` writes it; it stays text, so that what was read is written back byte for byte.
Timestamp = Annotated[str, AfterValidator(_check_timestamp)]


def now() -> str:
    """Returns the present time as artifacts write it: ISO 8601, UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def versions_of(*distributions: str) -> dict[str, str]:
    """Returns the versions of those distributions that are installed: what an artifact was made with."""
    found = {}
    for name in distributions:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def fresh_name() -> str:
    """Returns a name nobody else uses, that sorts by time: the UTC second and eight random digits."""
    return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"


def digest_of(data: bytes) -> str:
    """Returns the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def to_json(description: Any) -> bytes:
    """Returns the canonical JSON of a dataclass: equal descriptions have equal digests."""
    return canonical_json(asdict(description))


def canonical_json(raw: Mapping[str, Any]) -> bytes:
    """Returns a JSON object as artifacts write it, with sorted keys: equal objects have equal bytes."""
    return (json.dumps(raw, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def from_json(
    data: bytes, kind: type[Description], *, path: str, remedy: str = "restore it from a copy"
) -> Description:
    """Returns the validated description, upgraded if an older version wrote it.

    Raises UnknownVersionError for a newer version, ArtifactRefusedError naming `path` and what is wrong with it.
    """
    try:
        raw = json.loads(data)
        found = raw.get("contract_version")
    except (ValueError, AttributeError, RecursionError) as error:
        raise ArtifactRefusedError(f"{path} is not the JSON of an artifact ({error}); {remedy}") from error
    if found != kind.contract_version:  # type: ignore[attr-defined]
        data = json.dumps(_upgrade(raw, kind, path)).encode()
    try:
        return _adapter(kind).validate_json(data)  # type: ignore[arg-type]
    except ValidationError as error:
        raise ArtifactRefusedError(f"{validation_problem(error, path)}; {remedy}") from error


@cache
def _adapter(kind: Any) -> TypeAdapter:
    # To make one takes 20 ms, and a store holds some hundred runs and segments.
    return TypeAdapter(kind)


def validation_problem(error: ValidationError, path: object) -> str:
    """Returns what is wrong with the JSON at `path`, as a message without its remedy: the first problem, and where."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return f"{path} is damaged at {where!r}: {first['msg']}"


def _upgrade(raw: dict[str, Any], kind: type, path: str) -> dict[str, Any]:
    """Returns the JSON object of an older version as the present one has it, step by step."""
    expected: int = kind.contract_version  # type: ignore[attr-defined]
    upgrades: Upgrades = getattr(kind, "upgrades", {})
    found = raw.get("contract_version")
    oldest = expected
    while oldest - 1 in upgrades:
        oldest -= 1
    if type(found) is not int or not oldest <= found < expected:
        readable = f"version {expected}" if oldest == expected else f"versions {oldest} to {expected}"
        raise UnknownVersionError(
            f"{path} has contract version {found!r}; this program reads {readable}: "
            "use the version of firstseen that wrote it"
        )
    for version in range(found, expected):
        try:
            raw = {**upgrades[version](raw), "contract_version": version + 1}
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            # The function met something that its version never wrote.
            raise ArtifactRefusedError(
                f"{path} is damaged: it cannot be read as contract version {version} ({error!r}); "
                "restore it from a copy"
            ) from error
    return raw


def read(store: Store, path: str, kind: type[Description]) -> tuple[Description, str]:
    """Returns (description, digest) of the artifact whose JSON lies at `path`."""
    data = store.read(path)
    return from_json(data, kind, path=path), digest_of(data)


def finish(store: Store, path: str, description: Any) -> str:
    """Writes the JSON that makes an artifact exist, after all of its files; returns its digest.

    Raises ArtifactRefusedError if somebody else finished it already: nothing is ever replaced. The same bytes again
    are no error, since a runner may retry the step that writes them.
    """
    data = to_json(description)
    if not store.create(path, data) and store.read(path) != data:
        raise ArtifactRefusedError(f"{path} exists already; artifacts are never replaced: run again")
    return digest_of(data)


def record(store: Store, prefix: str, names: list[str]) -> dict[str, FileRecord]:
    """Returns the size and digest of each named file below `prefix`, as they lie in the store."""
    return {name: FileRecord(*store.measure(f"{prefix}/{name}")) for name in names}


def verify_files(store: Store, prefix: str, files: Mapping[str, FileRecord], *, original: str | None = None) -> int:
    """Checks every listed file against its record; returns the bytes read.

    `original` is where the files come from, for the message, if `prefix` is a temporary copy.
    Raises ArtifactRefusedError at the first file that differs, InputNotFoundError at one that is missing.
    """
    for name, expected in files.items():
        path, shown = f"{prefix}/{name}", f"{original or prefix}/{name}"
        with missing_named(store, path, f"{shown} is missing, expected {expected.size_bytes} bytes"):
            size_bytes, sha256 = store.measure(path)
        if (size_bytes, sha256) != (expected.size_bytes, expected.sha256):
            raise ArtifactRefusedError(
                f"{shown} is damaged: {size_bytes} bytes with SHA-256 {sha256[:12]}…, expected {expected.size_bytes} "
                f"bytes with {expected.sha256[:12]}…; {REMEDY}"
            )
    return sum(file.size_bytes for file in files.values())


@contextmanager
def missing_named(store: Store, path: str, words: str) -> Iterator[None]:
    """Tells what to do about a file that an artifact lists, if it turns out to be missing and not merely unreadable."""
    try:
        yield
    except InputNotFoundError as error:
        if store.exists(path):
            raise
        raise InputNotFoundError(f"{words}; {REMEDY}") from error
