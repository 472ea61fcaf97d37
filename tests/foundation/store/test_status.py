"""The status of a store: what is live, what waits, and the command that comes next."""

from dataclasses import replace
from pathlib import Path

import pytest

from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.encoders import read_spec
from foundation.store.files import Store
from foundation.store.runs import read_run
from foundation.store.segments import (
    LOCAL_DESCRIPTORS,
    LOCAL_KEYPOINTS,
    LOCAL_SCANN,
    LOCAL_STARTS,
    LocalFeaturesRecord,
    LocalTree,
    SegmentReference,
    segment_path,
)
from foundation.store.snapshots import Snapshot, publish
from foundation.store.status import StoreStatus, describe, read_status
from tests.builders import add_encoder, add_run, segment, snapshot, unit_vectors


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store, whose path a shell would split."""
    return Store(tmp_path / "my store", create=True)


def index(store: Store, encoder_id: str, *run_ids: str, number: int = 1, **changes) -> Snapshot:
    """Publishes a snapshot with one segment of some runs."""
    _, digest = read_spec(store, encoder_id)
    runs = {run_id: read_run(store, encoder_id, run_id)[1] for run_id in run_ids}
    described = segment(segment_id=f"segment-{number}", encoder_digest=digest, rows=2, photos=1_234, runs=runs)
    reference = SegmentReference(
        segment_id=described.segment_id,
        digest=artifact.finish(store, segment_path(described.segment_id), described),
        rows=2,
        photos=1_234,
    )
    made = snapshot(number, encoder_id=encoder_id, encoder_digest=digest, segments=[reference], **changes)
    publish(store, made)
    return made


def encode(store: Store, encoder_id: str, run_id: str, *, photos: int = 2) -> None:
    """Writes a finished run."""
    add_run(store, encoder_id, run_id, unit_vectors(photos, 4))


def test_an_empty_store_begins_with_an_encode(store: Store) -> None:
    """Nothing is there, and the line can be pasted into a shell."""
    lines = describe(read_status(store))
    assert "snapshot   none yet" in lines
    assert lines[-1] == f"next: firstseen encode ARCHIVE --store '{store.uri}'"


def test_an_encoder_without_runs_waits_for_an_archive(store: Store) -> None:
    """The encoder is named with its runs: none."""
    encoder_id = add_encoder(store)
    lines = describe(read_status(store))
    assert f"encoder    {encoder_id}: 0 runs" in lines
    assert lines[-1] == f"next: firstseen encode ARCHIVE --store '{store.uri}'"


def test_a_run_that_no_segment_holds_waits(store: Store) -> None:
    """Before the first snapshot every run counts, and after it those of the live encoder."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    assert read_status(store).runs_not_indexed == ["run-1"]
    index(store, encoder_id, "run-1")
    assert read_status(store).runs_not_indexed == []
    encode(store, encoder_id, "run-2")
    encode(store, add_encoder(store, recipe="other"), "run-3")
    status = read_status(store)
    assert status.runs_not_indexed == ["run-2"]
    assert sorted(status.runs_by_encoder.values()) == [1, 2]
    assert describe(status)[-2:] == ["waiting    1 runs not indexed", f"next: firstseen index --store '{store.uri}'"]


def test_a_run_without_rows_does_not_wait(store: Store) -> None:
    """All of its photos were rejected: there is nothing to index, and the next command would end in an error."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1", photos=0)
    assert read_status(store).runs_not_indexed == []


def test_what_is_live_is_shown_with_its_counts(store: Store) -> None:
    """Snapshot, encoder, photos and segments; what can be done next is a lookup."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    live = index(store, encoder_id, "run-1")
    status = read_status(store)
    assert (status.snapshot, status.snapshot_numbers, status.encoders) == (live, [1], [encoder_id])
    assert describe(status) == [
        f"store      {store.uri}",
        "snapshot   1 of 2024-05-31T00:00:00+00:00 (index), of 1 in all",
        f"encoder    {encoder_id}",
        "photos     1,234 in 2 contents, counted per segment",
        "segment    segment-1: 2 contents, exact search, recall@10 1.000",
        f"encoder    {encoder_id}: 1 runs",
        "waiting    0 runs not indexed",
        f"next: firstseen lookup PHOTO --store '{store.uri}'",
    ]


def test_local_features_are_shown_with_what_they_cost() -> None:
    """How many, of how many contents, how well they are found, and the kilobytes a photo for each purpose."""
    sizes = {LOCAL_STARTS: 100, LOCAL_KEYPOINTS: 4_900, LOCAL_DESCRIPTORS: 90_000, f"{LOCAL_SCANN}/0000/x": 15_000}
    files = {name: FileRecord(size, "0" * 64) for name, size in sizes.items()}
    tree = LocalTree(first=0, descriptors=1_400, leaves=37, leaves_to_search=8)
    local = LocalFeaturesRecord(feature_rule=1, rows=10, features=1_400, trees=[tree], recall=0.875)
    status = StoreStatus(
        store="s",
        snapshot=snapshot(1),
        segments=[segment(rows=12, files=files, local=local)],
        snapshot_numbers=[1],
        encoders=["encoder"],
        runs_by_encoder={"encoder": 1},
        runs_not_indexed=[],
    )
    assert describe(status)[5].strip() == (
        "1,400 local features of 10 contents, recall 0.875; 2.0 KB a photo for search and 9.0 KB for comparing"
    )


def test_after_a_rollback_indexing_is_not_proposed(store: Store) -> None:
    """It would take up again what the user has just left out."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    encode(store, encoder_id, "run-2")
    first = index(store, encoder_id, "run-1")
    index(store, encoder_id, "run-1", "run-2", number=2)
    publish(store, replace(first, number=3, reason="rollback to 1"))
    status = read_status(store)
    assert status.runs_not_indexed == ["run-2"]
    assert describe(status)[-2] == "waiting    1 runs not indexed since the rollback"
    assert describe(status)[-1].startswith("next: firstseen lookup PHOTO")
