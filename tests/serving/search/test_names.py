"""Finding photos by name in the tables of segments."""

from pathlib import Path

import pytest

from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from foundation.store.segments import Segment
from foundation.store.snapshots import read_contents
from serving.search import names
from serving.search.names import Named, find_named, like, named_in
from tests.builders import add_encoder, content, day
from tests.segments import add_segment, held, occurrence, publish_segments

MANY = 9_000


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, list[Segment]]:
    """Many contents in three row groups, one of version 1 beside them, and changes alone."""
    store = Store(tmp_path_factory.mktemp("store"), create=True)
    encoder_id = add_encoder(store, dimension=8)
    rows = [held(number, occurrence(f"2024/{number}.jpg", published_at=day(number))) for number in range(MANY)]
    gone = occurrence("2024/7.jpg", generation=2, is_removed=True)
    made = [
        add_segment(store, encoder_id, "many", rows),
        add_segment(store, encoder_id, "old", [held("old", Occurrence("old.jpg", "file:///old.jpg"))]),
        add_segment(store, encoder_id, "changes", changes={content(7): [gone], content("other"): [occurrence("x")]}),
    ]
    return store, read_contents(store, publish_segments(store, encoder_id, *made))[1]


@pytest.mark.parametrize("read_at_a_time", [1, 2, 64])
def test_all_that_is_said_of_a_photo_is_found(
    segments: tuple[Store, list[Segment]], monkeypatch: pytest.MonkeyPatch, read_at_a_time: int
):
    """In the order of the segments, whatever row group it lies in, and nothing of others."""
    monkeypatch.setattr(names, "READ_ROW_GROUPS", read_at_a_time)
    found = list(find_named(*segments, named_in(["2024/7.jpg", "old.jpg", "2024/8999.jpg", "unknown"])))
    assert sorted(found[:2], key=lambda one: one.occurrence.order) == [
        Named(content(7), occurrence("2024/7.jpg", published_at=day(7))),
        Named(content(8999), occurrence("2024/8999.jpg", published_at=day(8999))),
    ]
    assert found[2:] == [
        Named(content("old"), Occurrence("old.jpg", "file:///old.jpg")),
        Named(content(7), occurrence("2024/7.jpg", generation=2, is_removed=True)),
    ]


def test_of_several_photos_with_a_content_only_those_asked_for_are_found(tmp_path: Path):
    """A content's other photos have names of their own."""
    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store, dimension=8)
    made = add_segment(store, encoder_id, "one", [held("a", occurrence("a.jpg"), occurrence("b.jpg"))])
    described = read_contents(store, publish_segments(store, encoder_id, made))[1]
    found = find_named(store, described, named_in(["b.jpg"]))
    assert [one.occurrence.photo_id for one in found] == ["b.jpg"]


@pytest.mark.parametrize("asked", ["8998.jpg", "2023/8998.png", "elsewhere/8998"])
def test_names_that_resemble_one_are_found(segments: tuple[Store, list[Segment]], asked: str):
    """By the last part of the name, whatever its folder or suffix."""
    assert [one.occurrence.photo_id for one in find_named(*segments, like(asked))] == ["2024/8998.jpg"]
