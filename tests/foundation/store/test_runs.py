"""Runs: run.json lists what is to be trusted, and a shard's metadata says whose it is."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError, FirstseenError, InputNotFoundError
from foundation.store import artifact
from foundation.store.artifact import FileRecord
from foundation.store.files import Store
from foundation.store.occurrences import occurrence_type
from foundation.store.run_tables import changes_schema, check_shard, inventory_schema, reject_schema, shard_schema
from foundation.store.runs import Accounting, Run, list_encoders_with_runs, list_runs, read_run, run_path
from tests.builders import ENCODER_DIGEST, add_encoder, add_run, photo_columns, shard_table, unit_vectors, write_shard


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


@pytest.fixture
def run(store: Store) -> Run:
    """A finished run of three photos in two shards."""
    return add_run(store, add_encoder(store), "run-1", unit_vectors(3, 4), per_shard=2)


@pytest.fixture
def rewrite(store: Store, run: Run) -> Callable[..., None]:
    """A function that changes run.json where it lies."""

    def change(**changes: Any) -> None:
        path = store.local_root / run_path(run.encoder_id, run.run_id)
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def test_an_account_that_adds_up_passes() -> None:
    """Rejects count by reason, whatever their number; what was removed is not listed, and what was updated is there."""
    rejected = {"empty_file": 1, "too_large": 2}
    account = Accounting(
        listed=11, embedded=3, duplicates=2, rejected=rejected, unchanged=2, renamed=1, updated=2, removed=5
    )
    account.check()
    assert account.rejects == 3


@pytest.mark.parametrize(
    "changes", [{"listed": 11}, {"embedded": 4}, {"unchanged": 0}, {"rejected": {}}, {"renamed": 1}]
)
def test_a_photo_that_is_unaccounted_for_ends_the_run(changes: dict[str, Any]) -> None:
    """It is a defect of ours: exit code 1, and the equation with every number."""
    account = Accounting(listed=10, embedded=3, duplicates=2, rejected={"empty_file": 3}, unchanged=2)
    with pytest.raises(FirstseenError, match=r"listed \d+, but embedded \d \+ duplicates 2 \+ renamed \d") as caught:
        replace(account, **changes).check()
    assert caught.value.exit_code == 1


def test_a_finished_run_is_read_back_with_its_digest(store: Store, run: Run) -> None:
    """The digest is the one that a segment names."""
    path = run_path(run.encoder_id, run.run_id)
    assert read_run(store, run.encoder_id, run.run_id) == (run, artifact.digest_of(store.read(path)))
    assert run.directory == f"embeddings/{run.encoder_id}/run-1"
    listed = replace(run, files={**run.files, "inventory.parquet": FileRecord(1, "0" * 64)})
    assert listed.inventory == f"{run.directory}/inventory.parquet"


def test_shards_are_the_files_that_hold_rows(run: Run) -> None:
    """The inventory and the rejects are files of a run, but nothing to index."""
    more = replace(run, files={**run.files, "inventory.parquet": FileRecord(1, "0" * 64)})
    assert more.shards == run.shards == run.files
    assert sum(run.rows.values()) == 3


def test_only_finished_runs_are_listed(store: Store, run: Run) -> None:
    """A directory without run.json is a run that never finished; an encoder with nothing else has no runs."""
    store.create(f"embeddings/{run.encoder_id}/run-2/part-1.parquet", b"x")
    store.create("embeddings/other-1/run-1/part-1.parquet", b"x")
    assert list_runs(store, run.encoder_id) == ["run-1"]
    assert list_runs(store, "other-1") == []
    assert list_encoders_with_runs(store) == [run.encoder_id]


def test_an_unfinished_run_is_an_input_error(store: Store, run: Run) -> None:
    """Its shards may be there: without the description none of them counts."""
    store.create(f"embeddings/{run.encoder_id}/run-2/part-1.parquet", b"x")
    with pytest.raises(InputNotFoundError, match=r"run run-2 in store .* has no run\.json: it never finished"):
        read_run(store, run.encoder_id, "run-2")


def test_a_run_under_another_name_is_refused(store: Store, run: Run) -> None:
    """A copied directory would be indexed twice."""
    store.create(run_path(run.encoder_id, "run-2"), store.read(run_path(run.encoder_id, "run-1")))
    with pytest.raises(ArtifactRefusedError, match=r"describes run run-1 of encoder .*, expected run run-2 of"):
        read_run(store, run.encoder_id, "run-2")


def test_rows_of_a_file_that_is_not_listed_are_refused(store: Store, run: Run, rewrite) -> None:
    """A shard without a record has no digest to check."""
    rewrite(rows={**run.rows, "part-x.parquet": 5})
    with pytest.raises(ArtifactRefusedError, match=r"counts rows of files it does not list: \['part-x\.parquet'\]"):
        read_run(store, run.encoder_id, run.run_id)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"created_at": "yesterday"}, "created_at"),
        ({"distance": "manhattan"}, "distance"),
        ({"dtype": "int8"}, "dtype"),
    ],
)
def test_a_value_outside_of_the_contract_is_refused(store: Store, run: Run, rewrite, changes: dict, where: str) -> None:
    """The description is checked whole before any of it is used."""
    rewrite(**changes)
    with pytest.raises(ArtifactRefusedError, match=rf"run\.json is damaged at '{where}'"):
        read_run(store, run.encoder_id, run.run_id)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_written_shard_passes(store: Store, dtype) -> None:
    """Its metadata survives Parquet, in either precision."""
    path = write_shard(store, shard_table([photo_columns("a")], dtype=dtype)).path
    with store.open(path) as file:
        check_shard(path, parquet.read_schema(file), encoder_digest=ENCODER_DIGEST)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_shard_of_an_older_version_passes(version: str) -> None:
    """Its columns mean what they did: an archive need not be encoded again."""
    schema = with_metadata({"firstseen.contract_version": version})
    check_shard("part-1.parquet", schema, encoder_digest=ENCODER_DIGEST)


def test_a_run_of_version_1_has_no_local_features(store: Store, run: Run) -> None:
    """It is read as it was written, and its digest stays."""
    path = as_version_2(store, run)
    described = json.loads(path.read_text())
    del described["features"], described["feature_rule"]
    path.write_text(json.dumps({**described, "contract_version": 1}))
    found, digest = read_run(store, run.encoder_id, run.run_id)
    assert found == replace(run, generation=0)
    assert digest == artifact.digest_of(path.read_bytes())
    assert (found.features, found.feature_rule) == ("none", None)


def as_version_2(store: Store, run: Run) -> Path:
    """Writes run.json as version 2 did: without a predecessor, and without counts of what came later."""
    path = store.local_root / run_path(run.encoder_id, run.run_id)
    described = json.loads(path.read_text())
    for name in ("generation", "previous", "changes"):
        del described[name]
    for name in ("renamed", "updated", "removed", "photos", "contents"):
        del described["accounting"][name]
    path.write_text(json.dumps({**described, "contract_version": 2}))
    return path


def test_a_run_of_version_2_is_the_first_of_its_archive(store: Store, run: Run) -> None:
    """Its photos are those that were embedded, and their copies."""
    as_version_2(store, run)
    found, _ = read_run(store, run.encoder_id, run.run_id)
    assert found == replace(run, generation=0)
    assert (found.previous, found.changes, found.accounting.photos) == (None, 0, 3)


@pytest.mark.parametrize("version", ["0", "4", "", "1.0", "one"])
def test_a_shard_of_another_version_is_refused(version: str) -> None:
    """Its columns may mean something else: the line names both versions."""
    schema = with_metadata({"firstseen.contract_version": version})
    message = rf"^shard a/part-1\.parquet has contract version {version}; this program reads versions 1 to 3: "
    with pytest.raises(ArtifactRefusedError, match=message):
        check_shard("a/part-1.parquet", schema, encoder_digest=ENCODER_DIGEST)


def test_a_shard_without_a_version_is_refused() -> None:
    """A Parquet file that some other program wrote is no shard, whatever columns it has."""
    schema = with_metadata({"firstseen.contract_version": None})
    with pytest.raises(ArtifactRefusedError, match="has contract version none; this program reads versions 1 to 3"):
        check_shard("part-1.parquet", schema, encoder_digest=ENCODER_DIGEST)


@pytest.mark.parametrize(("digest", "found"), [("f" * 64, "ffffffffffff…"), (None, "of none")])
def test_a_shard_of_another_encoder_is_refused(digest: str | None, found: str) -> None:
    """Vectors of two encoders compare without an error and mean nothing: both sides are named."""
    schema = with_metadata({"firstseen.encoder_digest": digest})
    message = rf"^the encoder of shard part-1\.parquet has the digest {found}.* names eeeeeeeeeeee…; vectors of two enc"
    with pytest.raises(ArtifactRefusedError, match=message):
        check_shard("part-1.parquet", schema, encoder_digest=ENCODER_DIGEST)


def test_a_file_without_any_metadata_is_refused() -> None:
    """Arrow gives None in place of an empty dictionary."""
    with pytest.raises(ArtifactRefusedError, match="digest of none"):
        check_shard("part-1.parquet", pa.schema([]), encoder_digest=ENCODER_DIGEST)


def with_metadata(changes: dict[str, str | None]) -> pa.Schema:
    """Returns the schema of a shard with some of its metadata replaced, or without it where the value is None."""
    schema = shard_schema(4, "float32", encoder_digest=ENCODER_DIGEST, run_id="run")
    found = {key.decode(): value.decode() for key, value in schema.metadata.items()} | changes
    return schema.with_metadata({key: value for key, value in found.items() if value is not None})


def test_the_columns_are_those_of_the_contract() -> None:
    """A renamed or reordered column is another version: this table is what readers rely on."""
    schema = shard_schema(4, "float16", encoder_digest=ENCODER_DIGEST, run_id="run")
    assert [(field.name, str(field.type), field.nullable) for field in schema] == [
        ("photo_id", "string", False),
        ("uri", "string", False),
        ("content_sha256", "fixed_size_binary[32]", False),
        ("embedding", "fixed_size_list<item: halffloat>[4]", False),
        ("width", "int32", False),
        ("height", "int32", False),
        ("published_at", "timestamp[us, tz=UTC]", True),
        ("captured_at", "timestamp[us, tz=UTC]", True),
        ("caption", "string", True),
        ("credit", "string", True),
        ("source", "string", True),
        (
            "occurrences",
            f"list<item: {occurrence_type()}>",
            False,
        ),
    ]
    local = shard_schema(4, "float16", encoder_digest=ENCODER_DIGEST, run_id="run", features="local")
    assert list(local)[: len(schema)] == list(schema)
    assert [(field.name, str(field.type), field.nullable) for field in list(local)[len(schema) :]] == [
        ("frame_width", "uint16", False),
        ("frame_height", "uint16", False),
        ("keypoints", "binary", False),
        ("descriptors", "binary", False),
        ("thumbnail", "binary", False),
    ]
    assert reject_schema().names == ["photo_id", "uri", "reason", "detail"]
    given = ["published_at", "captured_at", "caption", "credit", "source"]
    assert inventory_schema().names == [
        *("photo_id", "uri", "size_bytes", "modified_at", "etag", "sidecar_uri", "sidecar_version", *given, "sidecar"),
        *("content_sha256", "reason", "detail"),
    ]
    assert changes_schema().names == ["content_sha256", "photo_id", "uri", *given, "is_removed"]
