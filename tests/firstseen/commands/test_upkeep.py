"""Tests the verbs that keep a store small."""

import os
import time
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.store.files import Store
from foundation.store.segments import SEGMENTS
from foundation.store.snapshots import snapshot_numbers
from pipelines.index.job import build_index
from tests.builders import add_encoder, add_run, unit_vectors
from tests.firstseen.desk import one_error_line


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of four segments, as four nights leave it."""
    store = Store(tmp_path / "store", create=True)
    encoder_id = add_encoder(store)
    for number in range(4):
        add_run(store, encoder_id, f"run{number}", unit_vectors(3, 4, seed=number), prefix=f"{number}-")
        build_index(store)
    return store


def call(store: Store, verb: str, *arguments: str) -> int:
    """Runs a verb on the store; returns its exit code."""
    return run([verb, "--store", store.uri, *arguments])


def test_compact_says_what_became_of_which_segments(store: Store, capsys: pytest.CaptureFixture):
    """Four small ones are due; after it nothing is."""
    assert call(store, "compact") == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "12 contents, exact search" in told.err
    assert "4 segments became 1, without 0 contents that nobody could find; snapshot 5 is live" in told.err
    assert "next: firstseen gc" in told.err
    assert call(store, "compact") == 0
    assert "nothing is due: snapshot 5 stays live" in capsys.readouterr().err


def test_compact_all_merges_what_is_not_due(store: Store, capsys: pytest.CaptureFixture):
    """Down to segments of the size that is allowed."""
    assert call(store, "compact", "--all", "--max-segment-rows", "6") == 0
    assert "4 segments became 2" in capsys.readouterr().err


def test_compact_refuses_a_damaged_segment(store: Store, capsys: pytest.CaptureFixture):
    """Exit code 5, and its file is named."""
    path = next((store.local_root / SEGMENTS).glob("*/vectors.npy"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert call(store, "compact") == 5
    assert "vectors.npy is damaged" in one_error_line(capsys)
    assert snapshot_numbers(store) == [1, 2, 3, 4]


def test_gc_prints_what_goes_and_what_is_kept(store: Store, capsys: pytest.CaptureFixture):
    """The dry run prints the same, and does nothing."""
    call(store, "compact")
    old = time.time() - 100 * 3_600
    for path in store.local_root.rglob("*"):
        os.utime(path, (old, old))
    capsys.readouterr()
    assert call(store, "gc", "--keep", "1", "--dry-run") == 0
    dry = capsys.readouterr()
    assert "next: the same without --dry-run" in dry.err
    assert call(store, "gc", "--keep", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == dry.out.replace("would remove", "removed").splitlines()
    assert [line.split()[1] for line in lines] == ["snapshot"] * 4 + ["segment"] * 4 + [lines[-1].split()[1]]
    kept = sum(file.size_bytes for file in store.walk())
    assert lines[-1].endswith(f"; kept {kept:,} bytes, snapshot 5")


def test_gc_leaves_alone_what_is_young(store: Store, capsys: pytest.CaptureFixture):
    """A day by default; hours of --grace."""
    (store.local_root / SEGMENTS / "new").mkdir()
    (store.local_root / SEGMENTS / "new" / "photos.parquet").write_bytes(b"x")
    assert call(store, "gc") == 0
    assert "removed 0 files, 0 bytes; kept" in capsys.readouterr().out
    time.sleep(0.02)
    assert call(store, "gc", "--grace", "0") == 0
    assert "removed unfinished segment segments/new: 1 file, 1 bytes" in capsys.readouterr().out


def test_gc_says_which_encoders_nobody_uses(store: Store, capsys: pytest.CaptureFixture):
    """And how to be rid of one; that of the live snapshot is not to be had."""
    other = add_encoder(store, recipe="other")
    assert call(store, "gc", "--grace", "0") == 0
    assert f"--drop-encoder {other}" in capsys.readouterr().err
    time.sleep(0.02)
    assert call(store, "gc", "--grace", "0", "--drop-encoder", other) == 0
    assert f"removed encoder encoders/{other}" in capsys.readouterr().out
    (live,) = store.directories("encoders")
    assert call(store, "gc", "--drop-encoder", live) == 2


def test_gc_refuses_damage_and_keeps_everything(store: Store, capsys: pytest.CaptureFixture):
    """Exit code 5: a snapshot that cannot be read may name anything."""
    (store.local_root / "snapshots" / "3.json").write_bytes(b"{")
    before = store.walk()
    assert call(store, "gc", "--grace", "0") == 5
    assert "without snapshot 3: --keep 1" in one_error_line(capsys)
    assert store.walk() == before
    assert call(store, "gc", "--keep", "0") == 2
