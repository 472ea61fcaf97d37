"""CONTRACT: what an index job built, handed from its last step to the launcher, which publishes it.

The file lives for seconds: a launcher that died leaves it behind, and nobody reads it again. Another one, without
content, says as long as the job lasts that this is the store that the launcher means.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

from foundation.errors import FirstseenError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.segments import SegmentReference

BUILDS = "builds"


@dataclass(frozen=True, kw_only=True)
class Build:
    """The segments of one index job, in the order of its plan."""

    __pydantic_config__: ClassVar = artifact.CONTRACT

    segments: list[SegmentReference]
    contract_version: int = 1


def build_path(build_id: str) -> str:
    """Returns the path of a build in the store."""
    return f"{BUILDS}/{build_id}.json"


@contextmanager
def begun_build(store: Store, build_id: str) -> Iterator[str]:
    """Yields the path of a file that lies in the store until the block ends: a copy of the store does not have it."""
    path = f"{BUILDS}/{build_id}-begun.json"
    store.create(path, b"{}")
    try:
        yield path
    finally:
        # What ended the block is what has to be told; gc removes what is left.
        with suppress(FirstseenError):
            store.delete([path])


def write_build(store: Store, build_id: str, segments: Sequence[SegmentReference]) -> None:
    """Writes what was built; a retry that writes the same is no error."""
    artifact.finish(store, build_path(build_id), Build(segments=list(segments)))


def take_build(store: Store, build_id: str) -> list[SegmentReference]:
    """Returns what was built, and removes the file; raises InputNotFoundError if the job did not come to its end."""
    build, _ = artifact.read(store, build_path(build_id), Build)
    store.delete([build_path(build_id)])
    return build.segments
