"""Random histories of small archives: whatever happened, the live snapshot answers what a plain model says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from foundation.errors import TemporaryError
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.rollback import roll_back
from foundation.store.snapshots import live_snapshot
from pipelines.compact.job import compact_all
from pipelines.encode import chunks
from tests.nights import Found, Nights, hash_of, make_nights

BROKEN = -2
ARCHIVES, NAMES = ("one", "two"), ("a.jpg", "b/b.jpg", "b/c.jpg", "d.jpg")
archives, names = st.sampled_from(ARCHIVES), st.sampled_from(NAMES)
pictures = st.integers(0, 4) | st.just(BROKEN)
captions = st.sampled_from(["", "red", "blue"])
actions = st.one_of(
    st.tuples(st.just("put"), archives, names, pictures),
    st.tuples(st.just("remove"), archives, names),
    st.tuples(st.just("rename"), archives, names, names),
    st.tuples(st.just("caption"), archives, names, captions),
    st.tuples(
        st.just("encode"), archives, st.sampled_from(["stat", "stat", "hash"]), st.sampled_from(["none", "local"])
    ),
    st.tuples(st.just("cut_off"), archives, st.integers(0, 2)),
    st.tuples(st.just("index"), st.sampled_from([2, 1_000])),
    st.tuples(st.just("retract"), archives, names),
    st.tuples(st.just("roll_back"), st.integers(1, 9)),
    st.tuples(st.just("compact")),
)

BEGIN = [("put", "one", "a.jpg", 0), ("put", "one", "d.jpg", 1), ("put", "two", "a.jpg", 1)]
END = [("encode", "one", "stat", "none"), ("index", 1_000)]


class Known(NamedTuple):
    """What an archive knows of a photo."""

    picture: int
    caption: str | None


def caption_of(name: str, files: Mapping[str, int], known: Mapping[str, Known]) -> str | None:
    """Returns the caption that a photo keeps, or takes along from the name that it had before."""
    if name in known:
        return known[name].caption
    before = [old for old, one in known.items() if old not in files and one.picture == files[name] != BROKEN]
    return known[min(before)].caption if before else None


@dataclass(frozen=True)
class Node:
    """How an archive stood after a run, and the run before."""

    photos: dict[str, Known]
    parent: "Node | None"


@dataclass
class Desk:
    """Store and archives, and beside them the model: what lies in each archive, every run, and what is live."""

    nights: Nights
    files: dict[str, dict[str, int]] = field(default_factory=lambda: {name: {} for name in ARCHIVES})
    catalogs: dict[str, dict[str, str]] = field(default_factory=lambda: {name: {} for name in ARCHIVES})
    runs: dict[str, list[Node]] = field(default_factory=lambda: {name: [] for name in ARCHIVES})
    left_out: list[Node] = field(default_factory=list)
    snapshots: dict[int, dict[str, Node]] = field(default_factory=dict)
    withdrawn: set[tuple[str, str]] = field(default_factory=set)
    contents: set[int] = field(default_factory=set)

    def put(self, archive: str, name: str, number: int) -> None:
        """Writes a photo, or a file that is none."""
        path = self.nights.put(name, max(number, 0), archive=archive)
        if number == BROKEN:
            path.write_bytes(b"<html>")
        self.files[archive][name] = number

    def remove(self, archive: str, name: str) -> None:
        """Deletes a photo, if another is left."""
        if name in self.files[archive] and len(self.files[archive]) > 1:
            self.nights.path(name, archive).unlink()
            del self.files[archive][name]

    def rename(self, archive: str, name: str, new: str) -> None:
        """Moves a photo, perhaps onto another one."""
        if name in self.files[archive] and name != new:
            target = self.nights.path(new, archive)
            target.parent.mkdir(exist_ok=True)
            self.nights.path(name, archive).rename(target)
            self.files[archive][new] = self.files[archive].pop(name)

    def caption(self, archive: str, name: str, caption: str) -> None:
        """Notes a caption for the next catalog."""
        self.catalogs[archive][name] = caption

    def encode(self, archive: str, check: str, features: str) -> None:
        """Encodes an archive with what has been noted, and forgets the notes."""
        files = self.files[archive]
        catalog = {name: text for name, text in self.catalogs[archive].items() if name in files}
        self.catalogs[archive].clear()
        if files:
            self._encode(archive, catalog, check=check, features=features)
            before = self._head(archive)
            known = before.photos if before else {}
            photos = {
                name: Known(number, catalog[name] or None if name in catalog else caption_of(name, files, known))
                for name, number in files.items()
            }
            self.runs[archive].append(Node(photos, before))

    def cut_off(self, archive: str, after: int) -> None:
        """Encodes an archive, and is killed after some chunks."""
        done: list[Any] = []
        write = chunks.write_outcomes

        def dies(*arguments: Any) -> bool:
            if len(done) == after:
                raise TemporaryError("killed")
            done.append(None)
            return write(*arguments)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chunks, "write_outcomes", dies)
            if self.files[archive]:
                before = [live_snapshot(self.nights.store), *self._found_runs()]
                try:
                    self._encode(archive, {}, chunk_photos=1)
                except TemporaryError:
                    assert [live_snapshot(self.nights.store), *self._found_runs()] == before
                else:
                    head = self._head(archive)
                    known = head.photos if head else {}
                    photos = {
                        name: Known(number, caption_of(name, self.files[archive], known))
                        for name, number in self.files[archive].items()
                    }
                    self.runs[archive].append(Node(photos, head))

    def index(self, rows: int) -> None:
        """Indexes what waits, if anything was ever encoded."""
        if any(self.runs.values()):
            result = self.nights.index(max_segment_rows=rows)
            heads = {name: head for name in ARCHIVES if (head := self._head(name))}
            self.snapshots[result.snapshot.number] = heads

    def retract(self, archive: str, name: str) -> None:
        """Withdraws a photo that lies in an archive now."""
        number = self.files[archive].get(name, BROKEN)
        if number != BROKEN:
            uri = (self.nights.folder / archive).resolve().as_uri()
            photo = RetractedPhoto(archive=uri, photo_id=name, content_sha256=hash_of(number).hex())
            add_retraction(self.nights.store, [photo], why="a test")
            self.withdrawn.add((archive, name))
            self.contents.add(number)

    def roll_back(self, number: int) -> None:
        """Makes an earlier snapshot live again."""
        if number in self.snapshots:
            made = roll_back(self.nights.store, number)
            target = self.snapshots[number]
            for later in [one for other, one in self.snapshots.items() if other > number]:
                for archive, node in later.items():
                    self._leave_out(node, target.get(archive))
            self.snapshots[made.number] = target

    def compact(self) -> None:
        """Merges all segments of the live snapshot, and drops what nobody can find."""
        if self.snapshots:
            made = compact_all(self.nights.store).snapshot
            self.snapshots[made.number] = self._live()

    def check(self) -> None:
        """Compares what is answered with what the model says."""
        if self.snapshots:
            assert self.nights.found() == {
                Found(archive, name, known.picture, known.caption)
                for archive, node in self._live().items()
                for name, known in node.photos.items()
                if known.picture not in {BROKEN, *self.contents} and (archive, name) not in self.withdrawn
            }

    def _encode(self, archive: str, catalog: dict[str, str], **options: Any) -> None:
        words = {name: {"caption": text} for name, text in catalog.items()}
        self.nights.encode(archive, words=words, **options)

    def _found_runs(self) -> list[Any]:
        return sorted(self.nights.store.local_root.glob("embeddings/*/*/run.json"))

    def _live(self) -> dict[str, Node]:
        return self.snapshots[max(self.snapshots)] if self.snapshots else {}

    def _head(self, archive: str) -> Node | None:
        """Returns the last run of an archive that follows the live one."""
        head = self._live().get(archive)
        while True:
            after = [one for one in self.runs[archive] if one.parent is head and not self._is_left_out(one)]
            if not after:
                return head
            head = after[-1]

    def _is_left_out(self, node: Node) -> bool:
        return any(one is node for one in self.left_out)

    def _leave_out(self, node: Node | None, kept: Node | None) -> None:
        """Leaves a run out with those before it, as far as they are not kept."""
        ancestors = []
        while kept:
            ancestors.append(kept)
            kept = kept.parent
        while node and not any(one is node for one in ancestors):
            self.left_out.append(node)
            node = node.parent


@settings(
    max_examples=50,
    deadline=None,
    # What fails is shrunk; what was found before is a test of its own.
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(actions, min_size=6, max_size=16))
def test_the_live_snapshot_answers_what_the_archives_held(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[Any, ...]]
) -> None:
    """After adds, changes, removals, catalogs, retractions, rollbacks, compactions and runs that were cut off."""
    with pytest.MonkeyPatch.context() as patch:
        desk = Desk(make_nights(tmp_path_factory.mktemp("history"), patch))
        for name, *arguments in [*BEGIN, *history, *END]:
            step: Callable[..., None] = getattr(desk, name)
            step(*arguments)
            if name in ("index", "retract", "roll_back", "compact"):
                desk.check()
