"""Finishing a run: its inventory, its changes and its rejects, each photo in its place, and run.json last."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from foundation.errors import FirstseenError
from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.files import Store
from foundation.store.run_tables import changes_schema, inventory_schema, reject_schema
from foundation.store.runs import CHANGES, INVENTORY, REJECTS, Accounting, Run, read_rejects, read_run
from pipelines.encode.finish import account, finish_run
from pipelines.encode.outcomes import FinishedChunk
from pipelines.encode.write_shards import WrittenFile
from tests.builders import ENCODER_DIGEST, content, day
from tests.pipelines.encode.inventories import Row, compared, known, listed, outcome, rejected


def planned() -> Run:
    """A run that has not begun."""
    return Run(
        run_id="run",
        archive="made",
        created_at=artifact.now(),
        encoder_id="encoder",
        encoder_digest=ENCODER_DIGEST,
        decode_rule=1,
        dimension=4,
        distance="cosine",
        dtype="float32",
        accounting=Accounting(listed=0, embedded=0, duplicates=0),
        rows={},
        files={},
        features="none",
        generation=2,
        previous="before",
        changes=0,
    )


def shard(name: str, rows: int) -> FinishedChunk:
    """A chunk that is done, with a shard of so many rows."""
    return FinishedChunk(f"outcomes/{name}", WrittenFile(name, rows, FileRecord(1, "0" * 64)))


def finish(
    folder: Path,
    listing: Sequence[Row],
    previous: Sequence[Row] = (),
    outcomes: Sequence[Row] = (),
    chunks: Sequence[FinishedChunk] = (),
    **settings: Any,
) -> tuple[Store, Run]:
    """Finishes a run of these photos, and reads it back."""
    store = Store(folder / "store", create=True)
    with compared(folder, listing, previous, outcomes, is_last=True, **settings) as (database, _):
        finished = finish_run(database, store, planned(), chunks, folder=folder)
    assert read_run(store, "encoder", "run")[0] == finished
    return store, finished


def rows_of(store: Store, run: Run, name: str) -> list[Row]:
    """Returns the rows of a file of the run, which it lists with its digest."""
    data = store.read(f"{run.directory}/{name}")
    record = run.files[name]
    assert (record.size_bytes, record.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    return parquet.read_table(store.local_root / run.directory / name).to_pylist()


def test_a_run_is_described_by_its_files(tmp_path: Path) -> None:
    """Shards of all chunks, the inventory of the whole listing, rejects with reasons; columns are the contract's."""
    outcomes = [
        outcome(known("a"), is_embedded=True),
        outcome(rejected("b", "truncated")),
        outcome(known("c", of="a")),
        outcome(known("d"), is_embedded=True),
    ]
    chunks = [shard("part-1", 1), FinishedChunk("outcomes/2", None), shard("part-3", 1)]
    store, run = finish(tmp_path, [listed(name) for name in "abcd"], (), outcomes, chunks)
    assert run.rows == {"part-1": 1, "part-3": 1}
    assert set(run.files) == {"part-1", "part-3", INVENTORY, REJECTS, CHANGES}
    assert run.accounting == Accounting(
        listed=4, embedded=2, duplicates=1, rejected={"truncated": 1}, photos=3, contents=2
    )
    inventory = rows_of(store, run, INVENTORY)
    assert [(row["photo_id"], row["content_sha256"], row["reason"]) for row in inventory] == [
        ("a", content("a"), None),
        ("b", None, "truncated"),
        ("c", content("a"), None),
        ("d", content("d"), None),
    ]
    rejects = [{"photo_id": "b", "uri": "file:///b", "reason": "truncated", "detail": "why"}]
    assert rows_of(store, run, REJECTS) == rejects
    assert read_rejects(store, "encoder", "run", archive="made") == ["b"]
    folder = store.local_root / run.directory
    for name, schema in ((INVENTORY, inventory_schema()), (REJECTS, reject_schema()), (CHANGES, changes_schema())):
        assert parquet.read_schema(folder / name) == schema


def changes(
    folder: Path, listing: Sequence[Row], previous: Sequence[Row], outcomes: Sequence[Row] = (), **settings: Any
) -> list[tuple[str, bytes, str | None, bool]]:
    """Returns what a run says of contents that its shards do not say: photo, content, caption, whether it went."""
    embedded = sum(one["is_embedded"] for one in outcomes)
    chunks = [shard("part", embedded)] if embedded else []
    store, run = finish(folder, listing, previous, outcomes, chunks, **settings)
    if CHANGES not in run.files:
        assert run.changes == 0
        return []
    rows = rows_of(store, run, CHANGES)
    assert run.changes == len(rows)
    found = [(row["photo_id"], row["content_sha256"], row["caption"], row["is_removed"]) for row in rows]
    assert sorted(found, key=lambda one: (one[1], one[0])) == found
    return sorted(found)


def test_what_stayed_as_it_was_is_no_change(tmp_path: Path) -> None:
    """Neither is what the run's own shards say already, nor a photo that was touched alone."""
    previous = [known("same", caption="c"), known("touched")]
    listing = [listed("same"), listed("touched", size_bytes=9), listed("new")]
    outcomes = [outcome(known("touched", size_bytes=9)), outcome(known("new"), is_embedded=True)]
    assert changes(tmp_path, listing, previous, outcomes) == []


def test_a_photo_that_went_or_holds_another_content_is_removed(tmp_path: Path) -> None:
    """Under the name, place and words that it had; of a renamed one the new name is there in the same run."""
    previous = [known("went", caption="c"), known("swapped"), known("old"), rejected("never", "truncated")]
    listing = [listed("swapped", size_bytes=9), listed("new")]
    outcomes = [outcome(known("swapped", of="other", size_bytes=9)), outcome(known("new", of="old"))]
    assert changes(tmp_path, listing, previous, outcomes) == sorted(
        [
            ("new", content("old"), None, False),
            ("old", content("old"), None, True),
            ("swapped", content("other"), None, False),
            ("swapped", content("swapped"), None, True),
            ("went", content("went"), "c", True),
        ]
    )


def test_other_words_are_a_change(tmp_path: Path) -> None:
    """Of a photo that was known, and of one whose row in a shard has those of an attempt before."""
    previous = [known("a", caption="old"), known("b", caption="same")]
    listing = [
        listed("a", is_given=True, caption="new"),
        listed("b", is_given=True, caption="same"),
        listed("c", is_given=True, caption="tonight's"),
    ]
    outcomes = [outcome(known("c", caption="last night's"), is_embedded=True)]
    assert changes(tmp_path, listing, previous, outcomes) == [
        ("a", content("a"), "new", False),
        ("c", content("c"), "tonight's", False),
    ]


def test_what_was_withdrawn_is_removed(tmp_path: Path) -> None:
    """Its reject says so from now on."""
    found = changes(tmp_path, [listed("a"), listed("b")], [known("a"), known("b")], withdrawn=(["a"], []))
    assert found == [("a", content("a"), None, True)]
    assert read_rejects(Store(tmp_path / "store"), "encoder", "run", archive="made") == ["a"]


def test_a_photo_that_was_embedded_and_then_went_is_removed(tmp_path: Path) -> None:
    """An attempt that was cut off wrote its row, and the listing has no such photo any more."""
    outcomes = [outcome(known("gone"), is_embedded=True), outcome(known("changed", size_bytes=5), is_embedded=True)]
    outcomes += [outcome(known("changed", of="other"), is_embedded=True)]
    assert changes(tmp_path, [listed("changed")], [], outcomes) == [
        ("changed", content("changed"), None, True),
        ("gone", content("gone"), None, True),
    ]


def test_a_photo_that_cannot_be_read_today_is_no_change(tmp_path: Path) -> None:
    """It is a reject, and the inventory has the content that it had: it can be found."""
    store, run = finish(
        tmp_path, [listed("a", size_bytes=3)], [known("a")], [outcome(rejected("a", "unreadable", size_bytes=3))]
    )
    assert (run.changes, run.accounting.photos, run.accounting.rejected) == (0, 1, {"unreadable": 1})
    (row,) = rows_of(store, run, INVENTORY)
    assert (row["content_sha256"], row["reason"]) == (content("a"), "unreadable")


@pytest.mark.parametrize("reason", ["unreadable", None])
def test_a_sidecar_that_cannot_be_read_today_is_no_change(tmp_path: Path, reason: str | None) -> None:
    """By itself, or with its photo: what it said stays, and it is of no known version, to be read in the next run."""
    words = {"published_at": day(1), "captured_at": None, "caption": "c", "credit": None, "source": None}
    place = {"sidecar_uri": "file:///a.xmp", "sidecar_version": "1"}
    now = known("a", **place, size_bytes=9) if reason is None else rejected("a", reason, **place, size_bytes=9)
    store, run = finish(
        tmp_path,
        [listed("a", **place, size_bytes=9)],
        [known("a", **place, sidecar=words)],
        [outcome(now)],
    )
    (row,) = rows_of(store, run, INVENTORY)
    assert (row["content_sha256"], row["sidecar"], row["sidecar_version"]) == (content("a"), words, None)
    assert (run.changes, run.accounting.updated) == (0, 0)


def test_a_sidecar_that_is_gone_says_nothing_any_more(tmp_path: Path) -> None:
    """Its photo was read without it."""
    words = {"published_at": None, "captured_at": None, "caption": "c", "credit": None, "source": None}
    previous = [known("a", sidecar_uri="file:///a.xmp", sidecar_version="1", sidecar=words)]
    assert changes(tmp_path, [listed("a")], previous, [outcome(known("a"))]) == [("a", content("a"), None, False)]


def test_a_photo_that_is_left_to_be_read_is_no_run(tmp_path: Path) -> None:
    """A chunk that was swallowed cannot pass for a finished run, and run.json is not written."""
    with pytest.raises(FirstseenError, match="lost track of photos: listed 2, but embedded 1"):
        finish(tmp_path, [listed("a"), listed("b")], (), [outcome(known("a"), is_embedded=True)], [shard("part", 1)])
    assert not (tmp_path / "store" / planned().directory / "run.json").exists()


@pytest.mark.parametrize("rows", [0, 2])
def test_a_shard_too_few_or_too_many_is_no_run(tmp_path: Path, rows: int) -> None:
    """Its rows are those that were embedded, whatever photo counts for them."""
    chunks = [shard("part", rows)] if rows else []
    with pytest.raises(FirstseenError, match=rf"its shards hold {rows} rows, and 1 were embedded; encode again"):
        finish(tmp_path, [listed("a")], (), [outcome(known("a"), is_embedded=True)], chunks)


def test_the_account_has_every_reason_and_the_removed(tmp_path: Path) -> None:
    """Photos that can be found are counted, and their distinct contents."""
    previous = [known("a"), known("b", of="a"), known("c", caption="x"), known("d", published_at=day(1)), known("e")]
    listing = [listed(name) for name in "ab"] + [listed("c", is_given=True, caption="y")]
    listing += [listed(name) for name in "xyz"]
    outcomes = [outcome(rejected(name, reason)) for name, reason in zip("xyz", ["cut", "bad", "cut"], strict=True)]
    with compared(tmp_path, listing, previous, outcomes) as (database, _):
        found = account(database)
    assert found == Accounting(
        listed=6,
        embedded=0,
        duplicates=0,
        unchanged=3,
        rejected={"bad": 1, "cut": 2},
        updated=1,
        removed=2,
        photos=3,
        contents=2,
    )
    assert list(found.rejected) == ["bad", "cut"]
