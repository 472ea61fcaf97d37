"""The status of a store: what is live, what the last runs came to, what waits, and what it costs to ask."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from foundation.errors import InputNotFoundError
from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.encoders import ENCODER_DESCRIPTION, encoder_directory, read_spec
from foundation.store.files import Store
from foundation.store.history import RUNS_READ
from foundation.store.retractions import RetractedPhoto, add_retraction, retraction_path
from foundation.store.run_tables import reject_schema
from foundation.store.runs import REJECTS, Accounting, read_run, run_path
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
from foundation.store.snapshots import ArchiveState, Snapshot, publish
from foundation.store.status import StoreStatus, read_status
from foundation.store.status_lines import age, describe, to_object
from pipelines.encode.write_shards import to_parquet
from tests.builders import add_encoder, add_run, segment, snapshot, unit_vectors

NOW = datetime(2024, 5, 31, 3, 10, tzinfo=timezone.utc)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store, whose path a shell would split."""
    return Store(tmp_path / "my store", create=True)


def index(store: Store, encoder_id: str, *run_ids: str, number: int = 1, **changes: Any) -> Snapshot:
    """Publishes a snapshot with one segment of some runs."""
    _, digest = read_spec(store, encoder_id)
    read = [read_run(store, encoder_id, run_id) for run_id in run_ids]
    runs = {run.run_id: digest for run, digest in read}
    archives = {
        run.archive: ArchiveState(run_id=run.run_id, digest=digest, photos=2, contents=2) for run, digest in read
    }
    described = segment(segment_id=f"segment-{number}", encoder_digest=digest, rows=2, photos=1_234, runs=runs)
    reference = SegmentReference(
        segment_id=described.segment_id,
        digest=artifact.finish(store, segment_path(described.segment_id), described),
        rows=2,
        photos=1_234,
    )
    held = {"segments": [reference], "archives": archives, "photos": 1_234, "contents": 2}
    made = snapshot(number, encoder_id=encoder_id, encoder_digest=digest, **{**held, **changes})
    publish(store, made)
    return made


def encode(store: Store, encoder_id: str, run_id: str, **options: Any) -> None:
    """Writes a finished run of two photos."""
    add_run(store, encoder_id, run_id, unit_vectors(2, 4), **options)


def rewrite_run(store: Store, encoder_id: str, run_id: str, **changes: Any) -> None:
    """Writes the description of a run anew, as no program does."""
    run, _ = read_run(store, encoder_id, run_id)
    store.delete([run_path(encoder_id, run_id)])
    artifact.finish(store, run_path(encoder_id, run_id), replace(run, **changes))


def reject(store: Store, encoder_id: str, run_id: str, archive: str, *rejects: tuple[str, str]) -> None:
    """Writes a finished run of an archive that rejected photos, given as (photo_id, reason)."""
    encode(store, encoder_id, run_id)
    run, _ = read_run(store, encoder_id, run_id)
    rows = [{"photo_id": name, "uri": "u", "reason": why, "detail": f"about {name}"} for name, why in rejects]
    table = pa.Table.from_pylist(rows, schema=reject_schema())
    store.create(f"{run.directory}/{REJECTS}", to_parquet(table))
    reasons = [why for _, why in rejects]
    rejected = {why: reasons.count(why) for why in sorted(set(reasons))}
    accounting = Accounting(listed=2 + len(rejects), embedded=2, duplicates=0, rejected=rejected)
    files = {**run.files, **artifact.record(store, run.directory, [REJECTS])}
    rewrite_run(store, encoder_id, run_id, archive=archive, accounting=accounting, files=files)


def test_a_run_that_no_segment_holds_waits(store: Store):
    """Before the first snapshot every run counts, and after it those of the live encoder; each encoder has its own."""
    live, other = add_encoder(store), add_encoder(store, recipe="other")
    encode(store, live, "run-1")
    assert read_status(store).runs_not_indexed == ["run-1"]
    index(store, live, "run-1")
    assert read_status(store).runs_not_indexed == []
    encode(store, live, "run-3")
    encode(store, live, "run-2")
    encode(store, other, "run-4")
    status = read_status(store)
    assert status.runs_not_indexed == ["run-2", "run-3"]
    assert status.waiting == {live: ["run-2", "run-3"], other: ["run-4"]}
    assert status.runs_by_encoder == {live: 3, other: 1}


def test_a_run_that_the_live_snapshot_left_out_does_not_wait(store: Store):
    """Nobody takes it up again by himself; the line says how to."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    encode(store, encoder_id, "run-2")
    index(store, encoder_id, "run-1", left_out=["run-2"])
    status = read_status(store)
    assert status.runs_not_indexed == []
    assert "left out   run-2; index --take-up RUN takes one up again" in describe(status)


def test_what_waits_follows_the_run_that_is_live(store: Store):
    """Of an archive, the runs after the one that the snapshot names, and not those before it."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1", archive="/a")
    encode(store, encoder_id, "run-2", archive="/a", generation=2, previous="run-1")
    index(store, encoder_id, "run-2")
    assert read_status(store).runs_not_indexed == []
    encode(store, encoder_id, "run-3", archive="/a", generation=3, previous="run-2")
    encode(store, encoder_id, "run-4", archive="/a", generation=4, previous="run-3")
    assert read_status(store).runs_not_indexed == ["run-3", "run-4"]


def test_what_is_live_is_shown_with_its_age_and_counts(store: Store):
    """Snapshot, photos, segments, encoder, the last run; what can be done next is a lookup."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    rewrite_run(store, encoder_id, "run-1", created_at="2024-05-29T03:00:00+00:00")
    live = index(store, encoder_id, "run-1")
    status = read_status(store, now=NOW)
    assert (status.snapshot, status.snapshot_numbers, status.encoders) == (live, [1], [encoder_id])
    assert status.age_seconds == (3 * 60 + 10) * 60
    assert describe(status, now=NOW) == [
        f"store      {store.uri}",
        "snapshot   1 of 2024-05-31T00:00:00+00:00, 3 hours ago (index), of 1 in all",
        "photos     1,234 in 2 contents",
        "archive    made:run-1: 2 photos, as of run run-1",
        "segment    segment-1: 2 contents, exact search, recall@10 1.000",
        f"encoder    {encoder_id}: live, 1 run",
        "run        run-1 of made:run-1, 2 days ago: 2 listed: 2 embedded",
        f"next: firstseen lookup PHOTO --store '{store.uri}'",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute ago"),
        (59, "less than a minute ago"),
        (60, "1 minute ago"),
        (3_599, "59 minutes ago"),
        (3_600, "1 hour ago"),
        (86_400, "1 day ago"),
        (90 * 86_400, "90 days ago"),
        (-1, "in the future, by the clock of this machine"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: int, words: str):
    """A clock that jumped is not taken for news of this minute."""
    assert age(seconds) == words


def test_the_last_runs_come_newest_first(store: Store):
    """Five of them, with what became of their photos; JSON has every count."""
    encoder_id = add_encoder(store)
    for number in range(7):
        encode(store, encoder_id, f"run-{number}")
    accounting = Accounting(listed=9, embedded=1, duplicates=2, rejected={"a": 1, "b": 1}, unchanged=3, renamed=1)
    rewrite_run(store, encoder_id, "run-6", accounting=accounting)
    status = read_status(store)
    assert [run.run_id for run in status.last_runs] == ["run-6", "run-5", "run-4", "run-3", "run-2"]
    (line, *_) = [line for line in describe(status) if line.startswith("run ")]
    assert line.endswith(": 9 listed: 1 embedded, 2 duplicates, 1 renamed, 3 unchanged, 2 rejected")
    assert to_object(status)["last_runs"][0]["accounting"]["renamed"] == 1


def test_rejects_are_told_by_reason_with_an_example(store: Store):
    """Of the last run of each archive, most first; a name that a terminal would obey is spelled out."""
    encoder_id = add_encoder(store)
    reject(store, encoder_id, "run-1", "/old", ("gone.jpg", "missing"))
    reject(store, encoder_id, "run-2", "/new", ("x.jpg", "empty"), ("a\x1b[2J.jpg", "corrupt"), ("b.jpg", "corrupt"))
    encode(store, encoder_id, "run-3")
    reject(store, encoder_id, "run-0", "/new", ("before.jpg", "empty"))
    status = read_status(store)
    assert [(one.archive, one.reason, one.photos, one.photo_id) for one in status.rejects] == [
        ("/new", "corrupt", 2, "a\x1b[2J.jpg"),
        ("/new", "empty", 1, "x.jpg"),
        ("/old", "missing", 1, "gone.jpg"),
    ]
    assert [line for line in describe(status) if line.startswith("rejected")] == [
        r"rejected   2 of /new corrupt, such as a\x1b[2J.jpg (about a\x1b[2J.jpg)",
        "rejected   1 of /new empty, such as x.jpg (about x.jpg)",
        "rejected   1 of /old missing, such as gone.jpg (about gone.jpg)",
    ]


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"none"), Path.unlink])
def test_rejects_that_cannot_be_read_are_counted_all_the_same(store: Store, damage: Callable[[Path], None]):
    """The counts stand in run.json; there is no example."""
    encoder_id = add_encoder(store)
    reject(store, encoder_id, "run-1", "/archive", ("gone.jpg", "missing"))
    assert store.local_root
    damage(next(store.local_root.rglob(REJECTS)))
    status = read_status(store)
    assert [(one.photos, one.photo_id) for one in status.rejects] == [(1, None)]
    assert "rejected   1 of /archive missing" in describe(status)


def test_encoders_are_told_by_their_age(store: Store):
    """Which is live, and whether another one is newer or older; by when they were made, and not by their names."""
    names = [add_encoder(store, recipe=recipe) for recipe in ("b", "a", "c")]
    for year, encoder_id in enumerate(names, start=2021):
        path = f"{encoder_directory(encoder_id)}/{ENCODER_DESCRIPTION}"
        spec, _ = read_spec(store, encoder_id)
        store.delete([path])
        artifact.finish(store, path, replace(spec, created_at=f"{year}-01-01T00:00:00+00:00"))
    older, live, newer = names
    assert read_status(store).newest_encoder == newer
    assert f"encoder    {newer}: 0 runs, the newest" in describe(read_status(store))
    encode(store, live, "run-1")
    encode(store, older, "run-2")
    index(store, live, "run-1")
    assert [line for line in describe(read_status(store)) if line.startswith("encoder")] == [
        f"encoder    {live}: live, 1 run",
        f"encoder    {older}: 1 run, 1 not in the live snapshot, not newer than the live one",
        f"encoder    {newer}: 0 runs, newer than the live one",
    ]


def test_the_newest_runs_of_each_encoder_are_looked_at(store: Store):
    """Those of a desk's many nights do not hide those of the encoder that is to take over."""
    live, other = (add_encoder(store, recipe=recipe) for recipe in ("a", "b"))
    encode(store, other, "0-first")
    for number in range(RUNS_READ):
        store.create(f"embeddings/{live}/{number + 1:03}/inventory.parquet", b"")
    assert read_status(store).waiting[other] == ["0-first"]


def test_what_is_damaged_or_unfinished_is_named_and_the_rest_is_told(store: Store):
    """Status is what an operator asks when something broke: one bad run or encoder does not end it."""
    encoder_id, other = add_encoder(store), add_encoder(store, recipe="other")
    encode(store, encoder_id, "run-1")
    index(store, encoder_id, "run-1")
    encode(store, encoder_id, "run-2")
    encode(store, encoder_id, "run-3")
    assert store.local_root
    (store.local_root / run_path(encoder_id, "run-2")).write_bytes(b"{}")
    (store.local_root / run_path(encoder_id, "run-3")).unlink()
    (store.local_root / encoder_directory(other) / ENCODER_DESCRIPTION).write_bytes(b"{}")
    status = read_status(store)
    assert list(status.damaged) == [other, "run-2"]
    assert status.unfinished == ["run-3"]
    assert status.runs_by_encoder == {encoder_id: 2, other: 0}
    assert [run.run_id for run in status.last_runs] == ["run-1"]


def test_a_run_that_may_not_be_read_is_not_taken_for_unfinished(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Whoever lacks the right to read a run learns of it."""
    encode(store, add_encoder(store), "run-1")

    def refuse(path: str) -> bytes:
        if "run.json" in path:
            raise InputNotFoundError(f"cannot read {path}: permission denied")
        return Store.read(store, path)

    monkeypatch.setattr(store, "read", refuse)
    with pytest.raises(InputNotFoundError, match="permission denied"):
        read_status(store)


def test_a_store_of_years_is_asked_a_bounded_number_of_times(store: Store, monkeypatch: pytest.MonkeyPatch):
    """The newest fifty runs are read, in two requests each; older ones are counted, and said not to be looked at."""
    encoder_id = add_encoder(store)
    for number in range(RUNS_READ + 30):
        store.create(f"embeddings/{encoder_id}/{number:03}/inventory.parquet", b"")
    requests: list[str] = []
    for name in ("read", "exists", "open", "directories", "files", "numbers"):
        monkeypatch.setattr(store, name, counting(getattr(store, name), requests))
    status = read_status(store)
    assert (len(status.unfinished), status.unread) == (RUNS_READ, 30)
    assert "           30 older runs not looked at" in describe(status)
    assert len([path for path in requests if "run.json" in path]) == 2 * RUNS_READ
    assert len([path for path in requests if "run.json" not in path]) <= 8 + 4 + 5


def counting(method: Callable[[str], Any], requests: list[str]) -> Callable[[str], Any]:
    """Returns the method of a store that notes each path it is asked for."""

    def counted(path: str) -> Any:
        requests.append(path)
        return method(path)

    return counted


def test_the_json_says_what_the_lines_say(store: Store):
    """It can be read back, and holds the age, the runs, what is due and the next command."""
    encoder_id = add_encoder(store)
    encode(store, encoder_id, "run-1")
    index(store, encoder_id, "run-1")
    encode(store, encoder_id, "run-2")
    found = json.loads(artifact.canonical_json(to_object(read_status(store, now=NOW + timedelta(days=1)))))
    assert (found["snapshot"]["number"], found["age_seconds"]) == (1, 86_400 + (3 * 60 + 10) * 60)
    assert (found["newest_encoder"], found["runs_not_indexed"]) == (encoder_id, ["run-2"])
    command = f"firstseen index --store '{store.uri}'"
    assert found["due"] == [{"what": f"1 run of {encoder_id} not indexed", "command": command}]
    assert found["next"] == command


def test_local_features_are_shown_with_what_they_cost():
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
    (line,) = [line for line in describe(status) if "local features" in line]
    assert line.strip() == (
        "1,400 local features of 10 contents, recall 0.875; 2.0 KB a photo for search and 9.0 KB for comparing"
    )


def test_lists_that_outlive_rebuilds_are_counted(store: Store) -> None:
    """An operator sees that photos are withheld; a list that is damaged is told, and the rest is shown."""
    assert not any(line.startswith("lists") for line in describe(read_status(store)))
    photos = [RetractedPhoto(archive="a", photo_id=name, content_sha256="0" * 64) for name in ("1.jpg", "2.jpg")]
    add_retraction(store, photos, why="asked for")
    status = read_status(store)
    assert status.lists == {"withdrawn": 2, "ignored": 0, "watched": 0}
    assert "lists      2 withdrawn" in describe(status)
    (store.local_root / retraction_path(1)).write_text("{")
    damaged = read_status(store)
    assert damaged.lists == {"ignored": 0, "watched": 0}
    assert "retractions/1.json" in damaged.damaged["the list of photos that are withdrawn"]
