"""What a photo was before it was exchanged goes with it, unless any other photo has it, or had it."""

import hashlib
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.store.chains import read_runs
from foundation.store.files import Store
from foundation.store.retractions import add_retraction
from foundation.store.rollback import roll_back
from foundation.store.run_tables import inventory_schema
from foundation.store.runs import INVENTORY
from foundation.store.verify import verify
from pipelines.encode.database import query_named
from pipelines.purge.earlier import with_earlier
from pipelines.purge.job import purge
from pipelines.purge.rewrite import WITHDRAWN, rewrite
from pipelines.purge.traces import Purged
from serving.retract import photos_named
from tests.photos import jpeg, noise
from tests.pipelines.answers import answers
from tests.pipelines.two_nights import Nights, begin_own, run_night

GOLDEN = Path(__file__).parents[2] / "golden"
SHARED = jpeg(noise(310))


@pytest.fixture
def store(nights: Nights, tmp_path: Path) -> Store:
    """Two equal files, of which a.jpg was exchanged, and a third night without b.jpg that was rolled back."""
    store, archive = begin_own(nights, tmp_path)
    for name in ("a.jpg", "b.jpg"):
        (archive / name).write_bytes(SHARED)
    run_night(store, archive)
    (archive / "a.jpg").write_bytes(jpeg(noise(311)))
    run_night(store, archive)
    (archive / "b.jpg").unlink()
    run_night(store, archive)
    roll_back(Store(store), 2)
    return Store(store)


def test_what_a_run_that_was_left_out_misses_is_still_another_photos(store: Store) -> None:
    """The last run of the archive does not list b.jpg, and does not count: it is found as before."""
    content = hashlib.sha256(SHARED).digest()
    photos = photos_named(store, ["a.jpg"])
    add_retraction(store, photos, why="a court order")
    purge(store, photos)
    (found, *_) = answers(store.local_root, [content])[content]
    assert [one.photo_id for one in found] == ["b.jpg"]
    rows = [
        row
        for path in store.local_root.glob("embeddings/*/*/inventory*.parquet")
        for row in parquet.read_table(path).to_pylist()
        if row["photo_id"] == "b.jpg"
    ]
    assert {(row["content_sha256"], row["reason"]) for row in rows} == {(content, None)}
    verify(store)


def test_a_photo_that_nobody_withdrew_is_not_noted_as_withdrawn(tmp_path: Path) -> None:
    """Its run was finished after it had been asked who has the content: the proof fails, and the purge is run again."""
    contents = {"other.jpg": b"1" * 32, "copy.jpg": b"2" * 32}
    row = dict.fromkeys(inventory_schema().names) | {"uri": "", "size_bytes": 1}
    rows = [row | {"photo_id": name, "content_sha256": content} for name, content in contents.items()]
    parquet.write_table(pa.Table.from_pylist(rows, schema=inventory_schema()), tmp_path / "old")
    purged = Purged(frozenset(), frozenset(contents.values()), earlier=frozenset([b"1" * 32]))
    rewrite(tmp_path / "old", tmp_path / "new", purged, set(), kind=INVENTORY)
    found = parquet.read_table(tmp_path / "new").to_pylist()
    assert [(one["content_sha256"], one["reason"]) for one in found] == [(b"1" * 32, None), (None, "retracted")]


def test_an_encode_notes_a_withdrawn_photo_in_the_same_words() -> None:
    """Whoever looks for withdrawn photos in an inventory looks for one text."""
    assert f"'{WITHDRAWN}'" in query_named("state")


def test_what_a_run_of_an_older_version_holds_is_another_photos(tmp_path: Path) -> None:
    """Its shards alone say who has a content."""
    store = Store(shutil.copytree(GOLDEN / "version-2" / "store", tmp_path / "store"))
    run = next(
        one.run
        for encoder_id in store.directories("embeddings")
        for one in read_runs(store, encoder_id).finished
        if one.run.accounting.duplicates
    )
    (shard,) = run.shards
    rows = parquet.read_table(store.local_root / run.directory / shard).to_pylist()
    (row,) = [row for row in rows if len(row["occurrences"]) == 2]
    photos = frozenset((run.archive, one["photo_id"]) for one in row["occurrences"])
    assert row["content_sha256"] not in with_earlier(store, frozenset(sorted(photos)[:1]), frozenset()).contents
    assert row["content_sha256"] in with_earlier(store, photos, frozenset()).contents
