"""Diagnosis: all that is damaged is told, not the first alone, and what cannot be judged is refused."""

import json
from pathlib import Path
from unittest.mock import Mock

import pytest

from foundation.errors import AccessDeniedError, ArtifactRefusedError, UnknownVersionError
from foundation.objects import translated
from foundation.store import artifact
from foundation.store.diagnosis import Damage, Inspection
from foundation.store.files import Store
from foundation.store.rollback import roll_back
from foundation.store.segments import require_files
from foundation.store.snapshots import newest_whole_snapshot, publish, read_snapshot
from pipelines.index.job import build_index
from tests.builders import add_encoder, add_run, snapshot, unit_vectors


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of two runs, each in a segment of its own, whose encoder is one byte."""
    store = Store(tmp_path)
    encoder_id = add_encoder(store, recipe="m")
    store.create(f"encoders/{encoder_id}/model", b"m")
    for name in ("run-1", "run-2"):
        add_run(store, encoder_id, name, unit_vectors(3, 4), prefix=name, generation=0)
        build_index(store)
    return store


def damages_of(store: Store) -> list[Damage]:
    """Returns everything that is wrong with the live snapshot."""
    found: list[Damage] = []
    Inspection(store, on_damage=found.append).look_at_snapshot(read_snapshot(store))
    return found


def flip(path: Path) -> None:
    """Flips one bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_all_that_is_wrong_is_told(store: Store) -> None:
    """A user who mends one thing after the other would wait for all bytes to be read each time."""
    assert damages_of(store) == []
    first, second = (store.local_root / "segments" / one.segment_id for one in read_snapshot(store).segments)
    flip(first / "vectors.npy")
    (second / "photos.parquet").unlink()
    shard = next(store.local_root.glob("embeddings/*/run-2/part-*.parquet"))
    flip(shard)
    found = [(one.kind, one.name, one.file) for one in damages_of(store)]
    assert found == [
        ("segment", first.name, "vectors.npy"),
        ("segment", second.name, "photos.parquet"),
        ("run", "run-2", shard.name),
    ]


@pytest.mark.parametrize("kind", ["segments/*/segment.json", "embeddings/*/run-1/run.json", "encoders/*/encoder.json"])
def test_a_damaged_version_is_damage(store: Store, kind: str) -> None:
    """Somebody named the digest of the description: it is not that of a later program."""
    path = sorted(store.local_root.glob(kind))[0]
    path.write_text(path.read_text().replace('"contract_version": ', '"contract_version": 9'))
    assert [one.file for one in damages_of(store)] == [path.name]


def test_a_name_is_no_reason_to_refuse(tmp_path: Path) -> None:
    """What is missing is damage, whatever its folder is called."""
    store = Store(tmp_path / "permission denied", create=True)
    publish(store, snapshot(1))
    assert {one.kind for one in damages_of(store)} == {"encoder"}


def test_what_may_not_be_read_is_not_called_damaged(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be whole: a repair by another user would build it anew."""
    refused = pytest.raises(AccessDeniedError, match="cannot read it: permission denied; check the access rights")
    with refused, translated("read it"):
        raise PermissionError
    monkeypatch.setattr(Store, "measure", Mock(side_effect=AccessDeniedError("permission denied")))
    with pytest.raises(AccessDeniedError):
        damages_of(store)


def test_a_damaged_retraction_is_told(store: Store) -> None:
    """It may name any photo."""
    store.create("retractions/1.json", b"{")
    assert [one.kind for one in damages_of(store)] == ["retractions"]


def test_the_newest_whole_snapshot_is_found(store: Store) -> None:
    """Damaged ones after it are named, each with what is wrong."""
    before = read_snapshot(store)
    store.create("snapshots/3.json", b"")
    store.create("snapshots/4.json", store.read("snapshots/2.json").replace(b'"index"', b'"indux"'))
    found, damaged = newest_whole_snapshot(store)
    assert (found, sorted(damaged)) == (before, [3, 4])


def test_a_snapshot_of_a_later_program_is_not_passed_over(store: Store) -> None:
    """It is whole, as its own digest says, and what it says would be lost."""
    raw = {**json.loads(store.read("snapshots/2.json")), "number": 3, "contract_version": 9}
    del raw["content_sha256"]
    raw["content_sha256"] = artifact.digest_of(artifact.canonical_json(raw))
    store.create("snapshots/3.json", artifact.canonical_json(raw))
    with pytest.raises(UnknownVersionError, match="contract version 9"):
        newest_whole_snapshot(store)
    path = store.local_root / "snapshots" / "3.json"
    path.write_bytes(path.read_bytes().replace(b'"index"', b'"indux"'))
    assert newest_whole_snapshot(store)[0] == read_snapshot(store, 2)


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_bytes(b"short")])
def test_a_broken_segment_is_not_published_again(store: Store, change) -> None:
    """Neither by a rollback nor by an index: both say what mends it."""
    live = read_snapshot(store)
    change(store.local_root / "segments" / live.segments[0].segment_id / "vectors.npy")
    add_run(store, live.encoder_id, "run-3", unit_vectors(3, 4), prefix="run-3")
    for publish_again in (lambda: roll_back(store, 1), lambda: build_index(store)):
        with pytest.raises(ArtifactRefusedError, match=r"vectors\.npy is .*expected .* bytes; .*`firstseen repair`$"):
            publish_again()
    assert read_snapshot(store) == live


def test_files_of_segments_are_looked_for_in_folders_too(store: Store) -> None:
    """ScaNN's files lie below a segment."""
    live = read_snapshot(store)
    sizes = store.sizes(f"segments/{live.segments[0].segment_id}")
    assert {"segment.json", "vectors.npy"} <= set(sizes)
    store.create(f"segments/{live.segments[0].segment_id}/local/x.npy", b"123")
    assert store.sizes(f"segments/{live.segments[0].segment_id}")["local/x.npy"] == 3
    require_files(store, [])


def test_a_damaged_live_snapshot_names_the_remedy(store: Store) -> None:
    """Whoever reads the live snapshot is told: index, encode, status."""
    publish(store, snapshot(3))
    (store.local_root / "snapshots" / "3.json").write_bytes(b"{")
    with pytest.raises(ArtifactRefusedError, match=r"snapshots/3\.json .*`firstseen repair`") as caught:
        build_index(store)
    assert caught.value.exit_code == 5
