"""A snapshot that finds too little is not published; one that finds enough is."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluation.copies import gate
from foundation.errors import ArtifactRefusedError, InputNotFoundError, UsageError
from foundation.store.files import Store
from foundation.store.retractions import RetractedPhoto, add_retraction
from foundation.store.snapshots import read_snapshot, snapshot_numbers
from pipelines.encode.job import encode
from pipelines.encode.plan import EncodeOptions
from pipelines.index.job import build_index
from serving.searcher import Searcher
from tests.builders import content
from tests.conftest import Desk
from tests.photos import jpeg, scene, write_archive
from tests.segments import add_segment, held, occurrence, publish_segments


@pytest.fixture
def grown(desk: Desk, tmp_path: Path) -> Desk:
    """A live snapshot, and photos that wait to be indexed."""
    write_archive(tmp_path / "new", photos=6, first_seed=70)
    encode(EncodeOptions(archive=str(tmp_path / "new"), store=str(desk.store)))
    return Desk(desk.store, tmp_path / "new")


def segments_of(desk: Desk) -> set[str]:
    """Returns the segments of which any file is there."""
    folder = desk.store / "segments"
    return {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()}


def test_levels_are_read_from_text():
    """Several, with spaces or without."""
    assert gate.parse_levels("recall_at_1=0.9, false_alarms=5") == {"recall_at_1": 0.9, "false_alarms": 5}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recall=0.9", "a level of --gate is 'recall'; expected one of: recall_at_1"),
        ("recall_at_1", "has no number; expected recall_at_1=NUMBER"),
        ("recall_at_1=90", "--gate recall_at_1 is 90"),
        ("false_alarms=-1", "--gate false_alarms is -1"),
        ("recall_at_1=nan", "--gate recall_at_1 is nan"),
    ],
)
def test_levels_that_cannot_be(text: str, message: str):
    """A misspelt or impossible level would let everything through."""
    with pytest.raises(UsageError, match=message):
        gate.parse_levels(text)


def test_false_alarms_are_a_limit_from_above():
    """More of them is worse, more of all else is better."""
    assert gate.is_below("recall_at_1", 0.89, 0.9)
    assert not gate.is_below("recall_at_1", 0.9, 0.9)
    assert gate.is_below("false_alarms", 5.1, 5)
    assert not gate.is_below("false_alarms", 5, 5)


def test_a_snapshot_below_its_level_is_refused(grown: Desk, monkeypatch: pytest.MonkeyPatch):
    """The live one stays, the new segment is gone, and the error names figure and level."""
    store = Store(grown.store)
    segments = segments_of(grown)
    monkeypatch.setattr(gate, "measure_sample", lambda *_, **__: {"recall_at_1": 0.5, "false_alarms": 2.0})
    told: list[str] = []
    judge = gate.make_gate(store, {"recall_at_1": 0.9, "false_alarms": 5}, photos=5, tell=told.append)
    with pytest.raises(ArtifactRefusedError, match=r"below --gate: recall_at_1 0\.500 \(expected 0\.9\); nothing"):
        build_index(store, gate=judge)
    assert snapshot_numbers(store) == [1]
    assert segments_of(grown) == segments
    assert told == ["gate: recall_at_1 0.500, false_alarms 2.000"]
    # What was refused once is judged again, and not forgotten.
    assert [segment.rows for segment in build_index(store).added] == [6]


def test_the_sample_is_asked_of_the_snapshot_to_be_published(grown: Desk):
    """All photos, the live ones and the new ones, are edited and found before anything is published."""
    store, judged = Store(grown.store), []
    build_index(store, gate=lambda one: judged.append((one, gate.measure_sample(store, one, photos=99))))
    ((snapshot, figures),) = judged
    assert snapshot.contents == 16
    assert read_snapshot(store) == snapshot
    assert set(figures) == set(gate.LEVELS)
    assert 0 < figures["recall_at_1"] <= 1
    assert 0 <= figures["false_alarms"] <= 1_000


def test_a_sample_holds_photos_of_every_segment(grown: Desk):
    """As many as were asked for, each once, the same ones for the same segments."""
    store = Store(grown.store)
    build_index(store)
    with Searcher.open(store) as searcher:
        every, some, again = (gate.sample_photos(searcher, count) for count in (99, 5, 5))
    assert len({one.uri for one in every}) == 16
    assert all(one.uri in one.uris for one in every)
    assert len(some) == 5
    assert some == again


def test_a_sample_holds_no_photo_that_is_gone(store: Path, only_encoder: Callable[[Path], str]):
    """A removed one could not be read, and a retracted one would never be found; a moved one is where it is now."""
    opened, encoder_id = Store(store), only_encoder(store)
    rows = [held(name, occurrence(f"{name}.jpg")) for name in ("moved", "removed", "retracted")]
    moved = [occurrence("moved.jpg", generation=2, is_removed=True), occurrence("new.jpg", generation=2)]
    changes = {
        content("moved"): moved,
        content("removed"): [occurrence("removed.jpg", generation=2, is_removed=True)],
    }
    segments = [add_segment(opened, encoder_id, "one", rows), add_segment(opened, encoder_id, "two", changes=changes)]
    publish_segments(opened, encoder_id, *segments)
    retracted = RetractedPhoto(
        archive="file:///archive", photo_id="retracted.jpg", content_sha256=content("retracted").hex()
    )
    add_retraction(opened, [retracted], why="a test")
    with Searcher.open(opened) as searcher:
        uri = "file:///archive/new.jpg"
        assert gate.sample_photos(searcher, 9) == [gate.Sampled(uri, frozenset({uri}))]


def test_the_same_picture_saved_twice_is_no_false_alarm(tmp_path: Path):
    """A smaller copy is the same photo, another scene is not, and neither is what cannot be read."""
    for name, data in {
        "one.jpg": jpeg(scene(1, width=200, height=150)),
        "small.jpg": jpeg(scene(1, width=120, height=90), quality=60),
        "other.jpg": jpeg(scene(2, width=200, height=150)),
    }.items():
        (tmp_path / name).write_bytes(data)
    one, small, other, gone = ((tmp_path / f"{name}.jpg").as_uri() for name in ("one", "small", "other", "gone"))
    sampled = gate.Sampled(one, frozenset({one, "elsewhere"}))
    assert [gate._is_same(sampled, uri) for uri in (one, "elsewhere", small)] == [True] * 3
    assert [gate._is_same(sampled, uri) for uri in (other, gone)] == [False] * 2


def test_photos_that_moved_away_cannot_be_judged(grown: Desk):
    """The error names one, and nothing is published."""
    store = Store(grown.store)
    shutil.rmtree(grown.archive)
    judge = gate.make_gate(store, {"recall_at_1": 0}, photos=99, tell=lambda _: None)
    live = read_snapshot(store)
    (waiting,) = build_index(store, gate=lambda snapshot: None).snapshot.segments[len(live.segments) :]
    with pytest.raises(InputNotFoundError, match=r"6 of 6 photos, file://.* cannot be read; expected them where"):
        judge(type(live)(**{**vars(live), "segments": [waiting]}))
