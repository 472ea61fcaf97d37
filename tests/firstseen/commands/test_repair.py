"""The verb repair: what it says of damage, of what it did, and of what to type next."""

from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.store.files import Store
from foundation.store.snapshots import read_snapshot
from pipelines.index.plan import IndexOptions
from pipelines.repair import job
from pipelines.repair.result import RepairResult
from tests.conftest import Desk
from tests.firstseen.desk import one_error_line


def damage(desk: Desk) -> str:
    """Loses the vectors of the live segment; returns its name."""
    (one,) = read_snapshot(Store(desk.store)).segments
    (desk.store / "segments" / one.segment_id / "vectors.npy").unlink()
    return one.segment_id


def test_a_whole_store_is_said_to_be_whole(desk: Desk, capsys: pytest.CaptureFixture) -> None:
    """Nothing is published."""
    assert run(["repair", "--store", str(desk.store)]) == 0
    assert capsys.readouterr().out == "snapshot 1 is whole: nothing to repair\n"


def test_each_damage_and_each_repair_is_a_line(desk: Desk, capsys: pytest.CaptureFixture) -> None:
    """The dry run says the same, and does nothing; verify is the next command, and passes."""
    name, store = damage(desk), str(desk.store)
    assert run(["verify", "--store", store]) == 4
    capsys.readouterr()
    assert run(["repair", "--store", store, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"segment {name}: segments/{name}/vectors.npy is missing" in said
    assert f"would: segment {name} is built anew" in said
    assert read_snapshot(Store(store)).number == 1
    assert run(["repair", "--store", store]) == 0
    found = capsys.readouterr()
    assert f"\nsegment {name} is built anew\n" in found.out
    assert found.out.endswith("snapshot 2 is live: repair, 10 photos\n")
    assert f"next: firstseen verify --store {store}" in found.err
    assert run(["verify", "--store", store]) == 0


def test_photos_that_cannot_be_read_again_are_named(desk: Desk, capsys: pytest.CaptureFixture) -> None:
    """Their segment and their shard are lost, and their archive has become another folder."""
    damage(desk)
    for path in desk.store.glob("embeddings/*/*/part-*.parquet"):
        path.unlink()
    for path in desk.store.glob("embeddings/*/*/inventory.parquet"):
        path.unlink()
    assert run(["repair", "--store", str(desk.store)]) == 0
    assert "how archive" in capsys.readouterr().out


def test_a_broken_store_is_told_by_every_verb(desk: Desk, capsys: pytest.CaptureFixture) -> None:
    """Exit code 5, and the command that mends it."""
    (desk.store / "snapshots" / "1.json").write_bytes(b"{")
    store = str(desk.store)
    for verb in (["encode", str(desk.archive)], ["reindex", str(desk.archive)], ["index"], ["status"]):
        assert run([*verb, "--store", store]) == 5
        assert "firstseen repair" in one_error_line(capsys)
    assert run(["repair", "--store", store]) == 0
    assert run(["status", "--store", store]) == 0


def test_memory_and_recall_are_those_of_an_index(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without flags a build takes what the machine has to give, and no more."""
    asked: list[IndexOptions] = []
    monkeypatch.setattr(
        job, "repair", lambda *_, options, **__: asked.append(options) or RepairResult([], snapshot=None)
    )
    assert run(["repair", "--store", str(store)]) == 0
    assert run(["repair", "--store", str(store), "--min-recall", "0.8", "--memory-limit", "2GB"]) == 0
    assert asked[0].memory_limit_bytes
    assert (asked[1].min_recall, asked[1].memory_limit_bytes) == (0.8, 2 * 10**9)
