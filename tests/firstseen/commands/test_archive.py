"""Tests the verbs that take an archive into the store."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.errors import TemporaryError
from pipelines.encode.plan import EncodeOptions
from pipelines.index.plan import IndexOptions
from tests.conftest import Desk
from tests.firstseen.desk import one_error_line
from tests.photos import write_archive


def test_rejects_above_the_limit_are_exit_code_3(store: Path, archive: Path, capsys: pytest.CaptureFixture):
    """The run is finished and usable; the line says how many and where the reasons lie."""
    (archive / "bad.jpg").write_bytes(b"")
    command = ["encode", str(archive), "--store", str(store)]
    assert run(command) == 3
    assert "9.1% of the photos were rejected, expected at most 1.0%" in one_error_line(capsys)
    assert run([*command, "--max-rejects", "0.1"]) == 0
    assert run(["index", "--store", str(store)]) == 0


@pytest.mark.parametrize(("features", "shown"), [(["--features", "none"], False), ([], True)])
def test_local_features_are_kept_unless_they_are_not_wanted(
    store: Path, archive: Path, capsys: pytest.CaptureFixture, features: list[str], shown: bool
):
    """`status` tells which it was; a lookup answers either way."""
    assert run(["encode", str(archive), "--store", str(store), *features]) == 0
    assert run(["index", "--store", str(store)]) == 0
    assert run(["status", "--store", str(store)]) == 0
    assert ("local features of 10 contents" in capsys.readouterr().out) == shown
    query = next(archive.rglob("*.jpg"))
    assert run(["lookup", str(query), "--store", str(store), "--format", "jsonl"]) == 0
    assert '"identical"' in capsys.readouterr().out


ENCODING = {
    "--encoder": "e-1",
    "--catalog": "c.csv",
    "--include": "*.jpg",
    "--exclude": "old",
    "--data-dir": "d",
    "--runner": "dataflow",
    "--workers": "3",
    "--dtype": "float16",
    "--features": "none",
    "--batch-size": "7",
    "--accelerator": "nvidia-l4",
    "--check": "hash",
    "--retry-rejects": "r",
    "--allow-shrink": None,
}
ENCODED = EncodeOptions(
    archive="s3://b/a",
    store="s3://b/s",
    encoder="e-1",
    catalog=Path("c.csv"),
    data_dir=Path("d"),
    include=("*.jpg",),
    exclude=("old",),
    runner="dataflow",
    workers=3,
    dtype="float16",
    features="none",
    batch_size=7,
    check="hash",
    allow_shrink=True,
    retry_rejects="r",
    accelerator="nvidia-l4",
    beam_flags=["--region=x"],
)
ESTIMATING = {
    flag: ENCODING[flag]
    for flag in ("--encoder", "--catalog", "--include", "--exclude", "--data-dir", "--features", "--check")
}
# What an estimate does not ask for is as it is by default.
LEFT_TO_ENCODE = {
    one.name: one.default
    for one in fields(EncodeOptions)
    if one.name in ("runner", "workers", "dtype", "batch_size", "allow_shrink", "retry_rejects", "accelerator")
} | {"beam_flags": []}
INDEXING = {
    "--min-recall": "0.5",
    "--target-recall": "0.6",
    "--exact-below": "5",
    "--max-segment-rows": "9",
    "--memory-limit": "8GB",
}
INDEXED = IndexOptions(
    max_segment_rows=9,
    memory_limit_bytes=8_000_000_000,
    exact_below=5,
    min_recall=0.5,
    target_recall=0.6,
    allow_shrink=True,
)
LEFT = {"--leave-out": "1", "--take-up": "2", "--allow-shrink": None}


@pytest.mark.parametrize(
    ("verb", "job", "flags", "expected"),
    [
        ("encode s3://b/a", "pipelines.encode.job.encode", ENCODING, [ENCODED]),
        ("reindex s3://b/a", "pipelines.reindex.job.reindex", ENCODING | INDEXING, [ENCODED, INDEXED]),
        (
            "index",
            "pipelines.index.job.build_index",
            INDEXING | LEFT,
            [replace(INDEXED, leave_out=("1",), take_up=("2",))],
        ),
        (
            "estimate s3://b/a",
            "pipelines.reindex.estimate.estimate",
            ESTIMATING,
            [replace(ENCODED, **LEFT_TO_ENCODE)],
        ),
        (
            "encode s3://b/a",
            "pipelines.encode.job.encode",
            {"--remove-archive": None},
            [EncodeOptions(archive="s3://b/a", store="s3://b/s", remove_archive=True)],
        ),
    ],
)
def test_every_flag_reaches_the_job(
    monkeypatch: pytest.MonkeyPatch, verb: str, job: str, flags: dict[str, str | None], expected: list
):
    """And what is not given is as the job has it."""
    given: list[object] = []

    def note(*positional: object, **named: object) -> None:
        given.extend(one for one in (*positional, *named.values()) if isinstance(one, EncodeOptions | IndexOptions))
        raise TemporaryError("enough is known")

    monkeypatch.setattr(job, note)
    words = [word for flag, value in flags.items() for word in (flag, value) if word is not None]
    beam = ["--", "--region=x"] if "--runner" in flags else []
    assert run([*verb.split(), "--store", "s3://b/s", *words, *beam]) == TemporaryError.exit_code
    assert given == expected


def test_a_second_index_finds_nothing_new(desk: Desk, capsys: pytest.CaptureFixture):
    """The live snapshot stays as it is, and says so."""
    assert run(["index", "--store", str(desk.store)]) == 0
    told = capsys.readouterr().err
    assert "nothing to index: the live snapshot holds every run of its encoder" in told
    assert "snapshot 1 is live: 10 photos" in told


def test_a_snapshot_that_falls_below_the_gate_is_refused(desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture):
    """Exit code 5, the live snapshot stays; with levels that are reached the same photos are published."""
    write_archive(tmp_path / "new", photos=4, first_seed=70)
    assert run(["encode", str(tmp_path / "new"), "--store", str(desk.store)]) == 0
    capsys.readouterr()
    # Nearness alone makes a score today: some photo is above 0.5 beside the right one.
    index = ["index", "--store", str(desk.store), "--gate-photos", "14"]
    assert run([*index, "--gate", "recall_at_1=1,false_alarms=0,recall_at_precision_90=1"]) == 5
    assert "the snapshot falls below --gate: " in one_error_line(capsys)
    assert run([*index, "--gate", "recall_at_1=0.1"]) == 0
    told = capsys.readouterr().err
    assert "gate: recall_at_1 " in told
    assert "snapshot 2 is live: 14 photos" in told


@pytest.mark.parametrize("wrong", [["--gate", "recall=1"], ["--gate", "recall_at_1=1", "--gate-photos", "0"]])
def test_a_gate_that_cannot_be_is_refused_before_any_work(desk: Desk, wrong: list[str]):
    """A usage error: no segment was built."""
    before = sorted(desk.store.rglob("*"))
    assert run(["index", "--store", str(desk.store), *wrong]) == 2
    assert sorted(desk.store.rglob("*")) == before
