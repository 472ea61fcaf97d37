"""Exact duplicates of a run: exactly one row stays, every photo survives as an occurrence, in whatever order."""

from collections import defaultdict
from datetime import datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.store.files import Store
from foundation.store.occurrences import Occurrence
from pipelines.encode.duplicates import RowEdit, ShardRow, apply_edits, merge_duplicates, read_shard
from tests.builders import content, day, local_columns, photo_columns, shard_table, write_shard

dates = st.none() | st.integers(0, 20_000).map(day)


def rows_of_one(published: list[datetime | None]) -> list[ShardRow]:
    """Returns rows of one content, spread over three shards."""
    return [
        ShardRow(f"part-{number % 3}", number // 3, Occurrence(f"{number}.jpg", f"file:///{number}.jpg", date))
        for number, date in enumerate(published)
    ]


def test_a_content_in_one_row_needs_no_edit() -> None:
    """Nothing is rewritten for it."""
    assert list(merge_duplicates(rows_of_one([day(1)]))) == []


def test_the_first_published_stays_and_names_all() -> None:
    """Its list begins with itself; photos without a date come last, by photo_id."""
    edits = dict(merge_duplicates(rows_of_one([None, day(9), day(3)])))
    assert edits["part-0"] == RowEdit(0, None)
    assert edits["part-1"] == RowEdit(0, None)
    kept = edits["part-2"]
    assert [one.photo_id for one in kept.occurrences] == ["2.jpg", "1.jpg", "0.jpg"]
    assert kept.occurrences[0] == Occurrence("2.jpg", "file:///2.jpg", day(3))


@given(st.lists(dates, min_size=2, max_size=12), st.randoms())
def test_the_order_of_work_does_not_matter(published: list[datetime | None], random) -> None:
    """Shards arrive in any order: the edits are the same."""
    contents = rows_of_one(published)
    shuffled = random.sample(contents, len(contents))
    assert sorted(merge_duplicates(contents), key=repr) == sorted(merge_duplicates(shuffled), key=repr)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), dates), min_size=1, max_size=20), st.integers(1, 5))
def test_every_photo_survives_and_every_content_has_one_row(photos: list[tuple], rows_per_shard: int) -> None:
    """Merging and applying all edits of a run loses no photo, keeps no content twice, and leaves the rest as it was."""
    rows = [
        photo_columns(f"{number}.jpg", content_sha256=content(name), published_at=date)
        for number, (name, date) in enumerate(photos)
    ]
    shards = [shard_table(rows[start : start + rows_per_shard]) for start in range(0, len(rows), rows_per_shard)]
    edited = pa.concat_tables(apply(shards))
    assert sorted(edited["content_sha256"].to_pylist()) == sorted({row["content_sha256"] for row in rows})
    for row in edited.to_pylist():
        same = [photo for photo in rows if photo["content_sha256"] == row["content_sha256"]]
        occurrences = [one["photo_id"] for one in row["occurrences"]]
        assert sorted(occurrences) == sorted(photo["photo_id"] for photo in same)
        assert occurrences[0] == row["photo_id"]
        known = [photo["published_at"] for photo in same if photo["published_at"]]
        assert row["published_at"] == (min(known) if known else None)
        assert row["caption"] == f"caption of {row['photo_id']}"


def apply(shards: list[pa.Table]) -> list[pa.Table]:
    """Returns the shards of a run after all its duplicates were merged."""
    by_content, by_shard = defaultdict(list), defaultdict(list)
    for number, table in enumerate(shards):
        for index, row in enumerate(table.to_pylist()):
            one = ShardRow(str(number), index, Occurrence.from_struct(row))
            by_content[row["content_sha256"]].append(one)
    for contents in by_content.values():
        for shard, edit in merge_duplicates(contents):
            by_shard[shard].append(edit)
    return [apply_edits(table, by_shard[str(number)]) for number, table in enumerate(shards)]


def test_edits_keep_the_schema_and_may_empty_a_shard() -> None:
    """Metadata, types and embeddings stay; a shard can lose all its rows."""
    table = shard_table([photo_columns("a"), photo_columns("b")])
    assert apply_edits(table, []).equals(table, check_metadata=True)
    one_left = apply_edits(table, [RowEdit(0, None)])
    assert one_left.schema.equals(table.schema, check_metadata=True)
    assert one_left["embedding"].to_pylist() == table["embedding"].to_pylist()[1:]
    none_left = apply_edits(table, [RowEdit(0, None), RowEdit(1, None)])
    assert none_left.num_rows == 0
    assert none_left.schema.equals(table.schema, check_metadata=True)


def test_local_features_stay_with_their_photo() -> None:
    """Rewriting a shard carries every column of the rows that stay."""
    photos = [photo_columns(name) | local_columns(number, seed=number) for number, name in enumerate("abc")]
    edited = apply_edits(shard_table(photos, features="local"), [RowEdit(1, None)])
    assert edited["keypoints"].to_pylist() == [photos[0]["keypoints"], photos[2]["keypoints"]]
    assert edited["descriptors"].to_pylist() == [photos[0]["descriptors"], photos[2]["descriptors"]]


def test_a_shard_is_read_whole_with_its_metadata(tmp_path) -> None:
    """What is rewritten must still say whose it is."""
    store, table = Store(tmp_path), shard_table([photo_columns("a")])
    read = read_shard(store, write_shard(store, table).path)
    assert read.equals(table)
    assert read.schema.metadata == table.schema.metadata
