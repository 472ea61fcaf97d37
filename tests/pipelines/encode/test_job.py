"""The encode job, end to end on a ten-photo archive, against an oracle that encodes photo by photo."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.archives import folders
from foundation.archives.archive import Archive, read
from foundation.archives.uris import path_of
from foundation.encoder import load
from foundation.errors import ArtifactRefusedError, FirstseenError, InputNotFoundError, TemporaryError, UsageError
from foundation.photos import photo
from foundation.photos.local_features import FEATURE_RULE, LONGEST_SIDE
from foundation.store.encoders import encoder_directory, encoder_id_for, list_encoders, read_spec
from foundation.store.files import Store
from foundation.store.run_tables import local_fields, shard_schema
from foundation.store.runs import CHANGES, REJECTS, Accounting, Run, list_runs
from pipelines.encode import job
from pipelines.encode.listeners import Listeners
from pipelines.encode.local_columns import local_columns
from pipelines.encode.plan import EncodeOptions, chunk_size, require_apart
from tests.foundation.archives.test_tar_shards import write_shard
from tests.photos import jpeg, noise, scene, write_archive, write_catalog

COLUMNS = {field.name for field in local_fields()}


def read_rows(store: Path, run: Run) -> list[dict]:
    """Returns the rows of all shards that run.json lists, by photo_id."""
    tables = [parquet.read_table(store / run.directory / name) for name in run.shards]
    return sorted(pa.concat_tables(tables).to_pylist(), key=lambda row: row["photo_id"])


def read_rejects(store: Path, run: Run) -> dict[str, str]:
    """Returns the reason of every reject, by photo_id."""
    rows = parquet.read_table(store / run.directory / REJECTS).to_pylist()
    return {row["photo_id"]: row["reason"] for row in rows}


def options(store: Path, folder: Path, **changes) -> EncodeOptions:
    """Returns options that force the hard path: tiny chunks and batches."""
    small = {"batch_size": 3, "chunk_photos": 4}
    return EncodeOptions(**{"store": str(store), "archive": str(folder), **small, **changes})


def encode(store: Path, folder: Path, **changes) -> Run:
    """Encodes an archive, and returns the run."""
    result = job.encode(options(store, folder, **changes))
    assert result.is_new
    assert result.accounting == result.run.accounting
    return result.run


@pytest.fixture
def another(store: Path, tmp_path: Path) -> Path:
    """A copy of the store as it was before anything was encoded."""
    return Path(shutil.copytree(store, tmp_path / "another"))


@pytest.mark.parametrize(("features", "frame_side"), [("local", LONGEST_SIDE), ("none", None)])
def test_every_photo_gets_the_vector_that_the_encoder_gives_it_alone(
    store: Path, archive: Path, features: str, frame_side: int | None
):
    """Threads, batches and padding change nothing: each row equals decode + encode of that one photo."""
    run = encode(store, archive, features=features)
    encoder = load(Store(store), run.encoder_id)
    rows = read_rows(store, run)
    assert [row["photo_id"] for row in rows] == [entry.photo_id for entry in folders.list_folder(archive)]
    for row in rows:
        data = read(row["uri"])
        decoded = photo.decode(data, size=encoder.spec.size, frame_side=frame_side)
        assert row["content_sha256"] == decoded.content_sha256
        assert (row["width"], row["height"]) == (96, 64)
        np.testing.assert_allclose(row["embedding"], encoder.encode(decoded.pixels[None])[0], atol=1e-5)


def test_the_shards_are_those_of_the_contract(store: Path, archive: Path):
    """Columns, types and file metadata are the schema's; run.json lists each file with size and digest."""
    run = encode(store, archive)
    named = {"encoder_digest": run.encoder_digest, "run_id": run.run_id}
    expected = shard_schema(run.dimension, "float32", features="local", **named)
    assert len(run.shards) == 3
    for name in run.shards:
        schema = parquet.read_schema(store / run.directory / name)
        assert schema.equals(expected)
        assert schema.metadata == expected.metadata
    found = {path.name for path in (store / run.directory).rglob("*") if path.is_file()} - {"run.json"}
    assert found == set(run.files)
    for name, record in run.files.items():
        assert Store(store).measure(f"{run.directory}/{name}") == (record.size_bytes, record.sha256)


def test_local_features_come_along_unless_they_are_not_wanted(store: Path, another: Path, tmp_path: Path):
    """Each row holds those of its own photo and run.json their rule; without them a shard has no such column."""
    folder = tmp_path / "textured"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.jpg").write_bytes(jpeg(noise(number)))
    shutil.copy(folder / "3.jpg", folder / "copy.jpg")
    run = encode(store, folder)
    assert (run.features, run.feature_rule) == ("local", FEATURE_RULE)
    rows = read_rows(store, run)
    assert [row["photo_id"] for row in rows] == [f"{number}.jpg" for number in range(5)]
    for row in rows:
        frame = photo.decode(read(row["uri"]), size=16, frame_side=LONGEST_SIDE).frame
        assert {name: row[name] for name in COLUMNS} == local_columns(frame)
    without = encode(another, folder, features="none")
    assert (without.features, without.feature_rule) == ("none", None)
    assert not set(read_rows(another, without)[0]) & COLUMNS


def test_half_precision_is_an_option(store: Path, another: Path, archive: Path):
    """float16 shards hold the same vectors, rounded."""
    exact = read_rows(store, encode(store, archive, features="none"))
    run = encode(another, archive, dtype="float16", features="none")
    assert run.dtype == "float16"
    for row, rounded in zip(exact, read_rows(another, run), strict=True):
        np.testing.assert_allclose(row["embedding"], np.array(rounded["embedding"], np.float32), atol=1e-3)


def test_an_exact_duplicate_has_no_row(store: Path, archive: Path, tmp_path: Path):
    """The first that is listed gives the content its row; the others are occurrences, with what is known of each."""
    for copy in ("a-copy.jpg", "z/late.jpg"):
        (archive / copy).parent.mkdir(exist_ok=True)
        shutil.copy(archive / "2020" / "photo-007.jpg", archive / copy)
    rows = [
        {"photo_id": "z/late.jpg", "published_at": "2001-02-03"},
        {"photo_id": "a-copy.jpg", "published_at": "2015-01-01"},
    ]
    catalog = write_catalog(tmp_path / "catalog.csv", rows)
    run = encode(store, archive, catalog=catalog, features="none")
    assert run.accounting == Accounting(listed=12, embedded=10, duplicates=2, photos=12, contents=10)
    assert "2020/photo-007.jpg" not in [row["photo_id"] for row in read_rows(store, run)]
    changes = parquet.read_table(store / run.directory / CHANGES).to_pylist()
    found = [(one["photo_id"], one["published_at"] and one["published_at"].year) for one in changes]
    assert found == [("2020/photo-007.jpg", None), ("z/late.jpg", 2001)]


def test_the_catalog_fills_dates_captions_and_credits(store: Path, archive: Path, tmp_path: Path):
    """Columns of the catalog arrive in the occurrences of its photos, and nowhere else."""
    row = {"photo_id": "2019/photo-001.jpg", "published_at": "2019-05-06T07:08:09+02:00", "caption": "A, “b”\nc"}
    catalog = write_catalog(tmp_path / "catalog.csv", [row | {"credit": "Agency", "source": "wire"}])
    run = encode(store, archive, catalog=catalog, features="none")
    known, *others = sorted(
        (row["occurrences"][0] for row in read_rows(store, run)), key=lambda one: one["caption"] is None
    )
    assert run.photos_in_catalog == 1
    assert known["photo_id"] == "2019/photo-001.jpg"
    assert known["published_at"].isoformat() == "2019-05-06T05:08:09+00:00"
    assert (known["caption"], known["credit"], known["source"]) == ("A, “b”\nc", "Agency", "wire")
    assert all(other["published_at"] is None for other in others)


def test_bad_files_are_rejects_with_a_reason(store: Path, archive: Path):
    """Empty, foreign, cut, piped and unreadable files are accounted for, and the good ones embedded."""
    good = (archive / "2019" / "photo-000.jpg").read_bytes()
    (archive / "empty.jpg").write_bytes(b"")
    (archive / "page.jpg").write_text("<html>not found</html>")
    (archive / "cut.jpg").write_bytes(good[: len(good) // 2])
    (archive / "gone.jpg").symlink_to(archive / "nowhere")
    os.mkfifo(archive / "pipe.jpg")
    run = encode(store, archive)
    assert read_rejects(store, run) == {
        "empty.jpg": "empty_file",
        "page.jpg": "not_a_photo",
        "cut.jpg": "truncated",
        "gone.jpg": "unreadable",
        "pipe.jpg": "unreadable",
    }
    assert run.accounting.embedded == 10
    assert run.accounting.listed == 15


def test_an_archive_of_rejects_alone_finishes(store: Path, tmp_path: Path):
    """No shard, but run.json with the reasons."""
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "a.txt").write_text("no photo")
    run = encode(store, folder)
    assert run.accounting.rejected == {"not_a_photo": 1}
    assert run.shards == {}


def test_names_that_are_no_text_survive(store: Path, tmp_path: Path):
    """Spaces, other scripts, percent signs and bytes that are not UTF-8 find their file again."""
    folder = tmp_path / "names"
    folder.mkdir()
    names = ["fotó 新聞 01.jpg".encode(), b"100%25 #1?.jpg", b"latin-\xe9.jpg"]
    for number, name in enumerate(names):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(jpeg(scene(number)))
    rows = read_rows(store, encode(store, folder))
    assert {os.fsencode(path_of(row["uri"]).name) for row in rows} == set(names)


def test_an_archive_whose_name_is_no_text_is_encoded(store: Path, tmp_path: Path):
    """The run names it by its URI."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/ar\xff"))
    write_archive(folder, photos=2)
    assert encode(store, folder).archive.endswith("/ar%FF")


def test_a_store_inside_the_archive_is_refused(store: Path, tmp_path: Path):
    """Its own files would be listed as photos."""
    with pytest.raises(UsageError, match="lies in the archive"):
        encode(store, tmp_path)


@pytest.mark.parametrize("store", ["s3://desk/photos", "s3://desk/photos/store"])
def test_a_store_inside_an_archive_in_a_bucket_is_refused(store: str):
    """Its prefix begins with the archive's; one beside it is no part of it."""
    archive = Archive("s3://desk/photos", None, lambda: iter(()))
    with pytest.raises(UsageError, match=r"lies in the archive s3://desk/photos; expected another prefix"):
        require_apart(archive, store)
    require_apart(archive, "s3://desk/photos-store")


@pytest.mark.parametrize("pattern", ["shard.tar", "*.tar"])
def test_a_shard_may_lie_beside_the_store(store: Path, pattern: str):
    """Only that file is listed, not the folder that it lies in."""
    write_shard(store.parent / "shard.tar", [("1.jpg", jpeg(scene(1)))])
    assert encode(store, store.parent / pattern).accounting.embedded == 1


def test_a_linked_folder_is_a_reject(store: Path, archive: Path, tmp_path: Path):
    """It is not followed, and not dropped in silence either."""
    write_archive(tmp_path / "elsewhere", photos=2)
    (archive / "linked").symlink_to(tmp_path / "elsewhere")
    assert read_rejects(store, encode(store, archive)) == {"linked": "unreadable"}


def test_processes_give_the_same_rows_as_threads(store: Path, another: Path, archive: Path):
    """The multi-process local runner embeds the same photos with the same vectors."""
    alone = read_rows(store, encode(store, archive, features="none"))
    shared = read_rows(another, encode(another, archive, workers=2, features="none"))
    assert [row["photo_id"] for row in shared] == [row["photo_id"] for row in alone]
    for row, other in zip(alone, shared, strict=True):
        np.testing.assert_allclose(row["embedding"], other["embedding"], atol=1e-5)


def test_another_runner_gives_the_same_rows(store: Path, another: Path, archive: Path):
    """Beam's portable runner ships every step to a worker over gRPC: what it pickles and encodes arrives whole."""
    flags = ["--job_endpoint=embed", "--environment_type=LOOPBACK"]
    run = encode(store, archive, runner="PortableRunner", beam_flags=flags)
    alone = encode(another, archive)
    assert run.accounting == alone.accounting
    assert [row["photo_id"] for row in read_rows(store, run)] == [row["photo_id"] for row in read_rows(another, alone)]


def test_progress_is_told_on_the_local_runner(store: Path, archive: Path):
    """The last call names every photo, embedded and rejected; the listing and the run are told before."""
    (archive / "empty.jpg").write_bytes(b"")
    calls: list[tuple[int, ...]] = []
    listeners = Listeners(
        on_listed=lambda photos: calls.append((photos,)),
        on_begin=lambda run: calls.append((run.generation,)),
        on_progress=lambda *counts: calls.append(counts),
    )
    job.encode(options(store, archive, features="none"), listeners)
    assert calls[:2] == [(11,), (1,)]
    assert calls[-1] == (11, 10, 1)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"archive": "nowhere"}, InputNotFoundError, "expected a folder"),
        ({"encoder": "convolutional-000000000000"}, InputNotFoundError, "it has: convolutional-"),
        ({"runner": "FlunkRunner"}, UsageError, "FlunkRunner"),
        ({"beam_flags": ["--no_such_flag=1"]}, UsageError, "--no_such_flag=1"),
        ({"catalog": Path("nowhere.csv")}, InputNotFoundError, "nowhere.csv"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    store: Path, archive: Path, changes: dict, error: type[FirstseenError], words: str
):
    """The error names what was received, and no run begins."""
    with pytest.raises(error, match=words):
        encode(store, archive, **changes)
    assert not (store / "embeddings").exists()


def test_an_empty_archive_is_no_run(store: Path, tmp_path: Path):
    """There is nothing to account for."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputNotFoundError, match="is empty"):
        encode(store, tmp_path / "empty")


@pytest.mark.parametrize(
    ("photos", "workers", "changes", "size"),
    [
        (10, 1, {}, 512),
        (10_000_000, 16, {}, 512),
        (10_000_000, 2, {}, 512),
        (300, 16, {}, 64),
        (300, 16, {"batch_size": 16}, 16),
        (10_000, 16, {}, 192),
        (2_000, 2, {}, 256),
        (1, 2, {}, 64),
        (300, 2, {"chunk_photos": 7}, 7),
        (10, 2, {"batch_size": 4_096}, 4_096),
        (100_000, 1, {"batch_size": 100}, 500),
        (100_000, 2, {"batch_size": 100}, 500),
        (100_000, 1, {"batch_size": 1_024}, 1_024),
        (10_000_000, 16, {"batch_size": 512}, 512),
    ],
)
def test_chunks_of_a_small_archive_leave_no_worker_idle(photos: int, workers: int, changes: dict, size: int):
    """One worker does them one after the other anyway; of several each has some, in whole batches."""
    assert chunk_size(photos, EncodeOptions(archive="a", store="s", **changes), workers=workers) == size


@pytest.mark.parametrize("name", ["workers", "batch_size", "chunk_photos"])
def test_counts_must_be_positive(name: str):
    """Zero is refused with the name and the bound."""
    with pytest.raises(UsageError, match=f"{name} is 0"):
        EncodeOptions(archive="a", store="s", **{name: 0})


def test_a_damaged_encoder_is_refused_by_the_workers(store: Path, archive: Path):
    """A flipped bit of the model ends the run with the typed error, and no run.json is written."""
    encoder_id = list_encoders(Store(store))[0]
    weights = store / encoder_directory(encoder_id) / "variables" / "variables.data-00000-of-00001"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    with pytest.raises(ArtifactRefusedError, match="is damaged"):
        encode(store, archive)
    assert not list(store.glob("embeddings/*/*/run.json"))


def test_a_full_disk_ends_the_run_and_leaves_no_run_json(store: Path, archive: Path, monkeypatch: pytest.MonkeyPatch):
    """The worker's TemporaryError arrives as itself; a second run on a free disk succeeds."""

    def full(*_):
        raise TemporaryError("cannot write: No space left on device; free some space and run again")

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.encode.chunks.write_shard", full)
        with pytest.raises(TemporaryError, match="No space left"):
            encode(store, archive)
    assert list_runs(Store(store), list_encoders(Store(store))[0]) == []
    assert encode(store, archive).accounting.embedded == 10


def test_two_encoders_without_a_snapshot_ask_for_a_choice(store: Path, archive: Path):
    """The error lists the ids to choose from."""
    only = list_encoders(Store(store))[0]
    description = json.loads((store / encoder_directory(only) / "encoder.json").read_text())
    twin = encoder_id_for("twin", read_spec(Store(store), only)[0].files)
    shutil.copytree(store / "encoders" / only, store / "encoders" / twin)
    description |= {"encoder_id": twin, "recipe": "twin"}
    (store / "encoders" / twin / "encoder.json").write_text(json.dumps(description))
    with pytest.raises(UsageError, match=f"--encoder: {only}, {twin}"):
        encode(store, archive)
    assert encode(store, archive, encoder=twin).encoder_id == twin


def test_the_hostile_files_are_all_accounted_for(store: Path, shared_data: Path):
    """Every file that breaks decoders can be found or is a reject; the run finishes."""
    run = job.encode(EncodeOptions(store=str(store), archive=str(shared_data / "hostile"))).run
    listed = {entry.photo_id for entry in folders.list_folder(shared_data / "hostile")}
    inventory = parquet.read_table(store / run.inventory).to_pylist()
    found = {row["photo_id"] for row in inventory if row["content_sha256"]}
    rejects = read_rejects(store, run)
    assert found | set(rejects) == listed
    assert not found & set(rejects)


def test_write_archive_makes_distinct_photos(tmp_path: Path):
    """The archives of these tests hold no accidental duplicates."""
    contents = [path.read_bytes() for path in write_archive(tmp_path, photos=30)]
    assert len(set(contents)) == 30


def test_the_composite_steps_give_beam_nothing_to_warn_of(store: Path, archive: Path, caplog: pytest.LogCaptureFixture):
    """A hint that Beam cannot read would be a line on stderr for whoever runs the job from Python."""
    encode(store, archive)
    assert [record.getMessage() for record in caplog.records if "type hint" in record.getMessage()] == []
