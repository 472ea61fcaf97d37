"""Plans what a store can do without: what there is, held against what is named; nothing is read, nothing deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from foundation.store.builds import BUILDS
from foundation.store.encoders import ENCODER_DESCRIPTION, ENCODERS
from foundation.store.files import StoredFile
from foundation.store.ignored import IGNORED
from foundation.store.lookups import LOOKUPS
from foundation.store.runs import EMBEDDINGS, RUN_DESCRIPTION
from foundation.store.segments import SEGMENT_DESCRIPTION, SEGMENTS
from foundation.store.watched import DESCRIPTION, WATCHED


@dataclass(frozen=True)
class _Kind:
    """A kind of artifact: what one is called, how many names deep its directory lies, and its description."""

    name: str
    depth: int
    description: str


KINDS = {
    ENCODERS: _Kind("encoder", 2, ENCODER_DESCRIPTION),
    EMBEDDINGS: _Kind("run", 3, RUN_DESCRIPTION),
    SEGMENTS: _Kind("segment", 2, SEGMENT_DESCRIPTION),
    WATCHED: _Kind("watched query", 2, DESCRIPTION),
    # No description ever says that one is finished: its directory goes when its answers are written.
    LOOKUPS: _Kind("lookup", 2, ""),
}


@dataclass(frozen=True, kw_only=True)
class Named:
    """What has to stay: of each directory that is kept, the files that it needs, by their names in it.

    Of a directory in `whole` nobody knows which files it needs, or somebody is writing into it; a thumbnail of an
    ignored photo is one by itself. `dropped_encoders` are those that were asked to go; other finished ones stay.
    """

    listed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    dropped_encoders: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Removal:
    """Files that go together: what they were, and where; their description, if there is one, goes before the others."""

    what: str
    path: str
    description: str | None
    files: list[StoredFile]

    @property
    def size_bytes(self) -> int:
        """Size of all of them."""
        return sum(file.size_bytes for file in self.files)


def plan_removals(files: Sequence[StoredFile], named: Named, *, young: datetime) -> list[Removal]:
    """Returns what goes; `files` are all of the store, sorted by path.

    Nothing goes of a directory in which a file was written since `young`: somebody may be at it. What lies outside of
    the directories of artifacts is nobody's business here.
    """
    removals = []
    for directory, members in groupby(files, key=lambda file: _directory(file.path)):
        found = list(members)
        if directory and all(file.modified_at < young for file in found):
            removals += _plan(directory, found, named)
    gone = {file.path for removal in removals for file in removal.files}
    still = {
        file.path.split("/")[1] for file in files if file.path.startswith(f"{EMBEDDINGS}/") and file.path not in gone
    }
    # Without their encoder, runs that somebody is at would be of no use.
    return [
        one for one in removals if one.path.partition("/")[0] != ENCODERS or one.path.partition("/")[2] not in still
    ]


def _directory(path: str) -> str:
    """Returns the directory of a file's artifact, or nothing; a build or a thumbnail is an artifact by itself."""
    names = path.split("/")
    if names[0] == BUILDS or (names[0] == IGNORED and path.endswith(".jpg")):
        return path
    kind = KINDS.get(names[0])
    return "/".join(names[: kind.depth]) if kind and len(names) > kind.depth else ""


def _plan(directory: str, files: list[StoredFile], named: Named) -> list[Removal]:
    root, _, name = directory.partition("/")
    if root == BUILDS:
        return [Removal("build", directory, None, files)]
    if root == IGNORED:
        return (
            []
            if {directory, root} & named.whole
            else [Removal("thumbnail of no ignored photo", directory, None, files)]
        )
    kind, names = KINDS[root], {file.path.removeprefix(f"{directory}/"): file for file in files}
    if directory in named.whole:
        return []
    if directory in named.listed:
        left_over = [file for found, file in names.items() if found not in named.listed[directory]]
        return [Removal(f"leftovers of {kind.name}", directory, None, left_over)] if left_over else []
    if kind.description not in names:
        # Somebody was killed while he wrote it, or removed it.
        return [Removal(f"unfinished {kind.name}", directory, None, files)]
    if root == WATCHED or (root == ENCODERS and name not in named.dropped_encoders):
        return []
    return [Removal(kind.name, directory, f"{directory}/{kind.description}", files)]
