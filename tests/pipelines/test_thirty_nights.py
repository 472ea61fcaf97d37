"""The life of a store: thirty nights of changes, and after each the answers of one that was built from scratch."""

import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.rollback import roll_back
from foundation.store.snapshots import live_snapshot
from pipelines.compact.job import compact_all, compact_due
from serving.search.snapshot import OpenSnapshot
from tests.builders import add_encoder
from tests.nights import PICTURES, Found, Nights, hash_of, make_nights

NIGHTS = 30
ROLLED_BACK, COMPACTED = 17, (9, 22)
NEIGHBOURS = 5


@dataclass
class Desk:
    """An archive, the words that its catalogs said of each photo so far, and the photos that were withdrawn."""

    nights: Nights
    chance: random.Random
    files: dict[str, int] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    withdrawn: list[RetractedPhoto] = field(default_factory=list)

    def change(self, night: int) -> None:
        """Does to the archive what a day does: photos come, change, move, go, are copied, and get other words.

        What moves takes its words along, and so does what comes in the place of what goes: of a day's photos that come
        and go no two are the same.
        """
        unused = sorted(set(range(PICTURES)) - set(self.files.values()))
        self.chance.shuffle(unused)
        changed, first, second, removed = self.some_different(4)
        for number in range(self.chance.randint(1, 3)):
            self.put(f"{night // 7}/new-{night:02d}-{number}.jpg", unused.pop())
        self.put(changed, unused.pop())
        for name in (first, second):
            self.move(name, f"moved/{night:02d}-{Path(name).name}")
        if len(self.files) > 20:
            self.nights.path(removed).unlink()
            del self.files[removed]
        elif night % 3 == 0:
            self.put(f"copies/{night:02d}.jpg", self.files[removed])
        for name in self.some_different(2):
            self.words[name] = {"caption": f"night {night}", "published_at": f"2020-01-{1 + night % 28:02d}"}

    def some_different(self, count: int) -> list[str]:
        """Returns some photos of the archive, each another picture."""
        by_picture = {picture: name for name, picture in sorted(self.files.items())}
        return self.chance.sample(sorted(by_picture.values()), count)

    def put(self, name: str, picture: int) -> None:
        """Writes a photo."""
        self.nights.put(name, picture)
        self.files[name] = picture

    def move(self, name: str, to: str) -> None:
        """Gives a photo another name, under which it keeps the words that were known of it."""
        target = self.nights.path(to)
        target.parent.mkdir(exist_ok=True)
        self.nights.path(name).rename(target)
        self.files[to] = self.files.pop(name)
        if name in self.words:
            self.words[to] = self.words.pop(name)

    def retract(self, name: str, archive: str) -> None:
        """Withdraws a photo."""
        photo = RetractedPhoto(archive=archive, photo_id=name, content_sha256=hash_of(self.files[name]).hex())
        self.withdrawn.append(photo)
        add_retraction(self.nights.store, [photo], why="asked to")

    def from_scratch(self, folder: Path) -> Nights:
        """Returns a store that was made tonight, of the archive as it is, with all that is known of it."""
        store = Store(folder, create=True)
        add_encoder(store)
        if self.withdrawn:
            add_retraction(store, self.withdrawn, why="asked to")
        fresh = Nights(self.nights.folder, store)
        fresh.night(words={name: words for name, words in self.words.items() if name in self.files} or None)
        return fresh


def answers_of(store: Store) -> dict[int, list[tuple[int, float]]]:
    """Returns what is nearest to each picture that can be found: pictures and similarities, best first."""
    live = live_snapshot(store)
    known = {hash_of(number): number for number in range(PICTURES)}
    answers = {}
    with OpenSnapshot(store, live) as opened:
        for content, number in known.items():
            (places,) = opened.places([content])
            if places:
                near = opened.search(opened.vectors(places[:1]), NEIGHBOURS)
                found = zip(near.contents[0].tolist(), np.round(near.similarities[0], 5).tolist(), strict=True)
                answers[number] = [(known[one.ljust(32, b"\0")], score) for one, score in found if score > -np.inf]
    return answers


def test_every_night_is_as_if_built_from_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Adds, changes, moves, removals, retractions, compactions, one rollback: the answers are those of a new store."""
    desk = Desk(make_nights(tmp_path, monkeypatch), random.Random(9))  # noqa: S311 (no secret)
    store, decoded = desk.nights.store, desk.nights.decoded
    for number in range(12):
        desk.put(f"0/first-{number:02d}.jpg", number)
    for night in range(NIGHTS):
        desk.change(night)
        result = desk.nights.night(words=desk.words or None)
        if night % 6 == 5:
            desk.retract(desk.some_different(1)[0], result.run.archive)
        if night in COMPACTED:
            compact_all(store)
        compact_due(store)
        if night == ROLLED_BACK:
            roll_back(store, live_snapshot(store).number - 4)
            desk.nights.night(words=desk.words)
        before = len(decoded)
        fresh = desk.from_scratch(tmp_path / f"fresh-{night:02d}")
        del decoded[before:]
        assert found_of(desk.nights) == found_of(fresh), f"after night {night}"
        assert answers_of(store) == answers_of(fresh.store), f"after night {night}"
    assert len(live_snapshot(store).segments) < NIGHTS // 3


def found_of(nights: Nights) -> set[Found]:
    """Returns the photos that are answered."""
    return nights.found()
