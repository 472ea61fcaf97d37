"""Tests looking photos up at a server: the same formats and exit codes as with a store, and what is refused."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import parquet

from firstseen.commands.lookup_source import ONLY_WITH_A_STORE
from firstseen.commands.running import run
from serving.answers import SCHEMA
from tests.conftest import REPOSITORY
from tests.firstseen.desk import one_error_line
from tests.interruptible import interruptible
from tests.photos import write_archive
from tests.serving.remote.stub import Stub, problem, running


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """A server that has none of the photos."""
    monkeypatch.delenv("FIRSTSEEN_KEY", raising=False)
    with running() as server:
        yield server


def test_every_format_holds_the_same_answers(stub: Stub, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    """Of a folder that is read here, in order; the page names the snapshot."""
    command = ["lookup", str(archive), "--server", stub.address, "--batch-size", "4", "--format"]
    found = {}
    for name in ("jsonl", "json", "csv", "table"):
        assert run([*command, name]) == 0
        printed = capsys.readouterr()
        found[name] = printed.out
        assert "10 queries: 10 no_match" in printed.err
    for name in ("parquet", "html"):
        assert run([*command, name, "--output", str(tmp_path / name)]) == 0
    rows = [json.loads(line) for line in found["jsonl"].splitlines()]
    assert [row["query"] for row in rows] == sorted(map(str, archive.rglob("*.jpg")))
    assert list(rows[0]) == SCHEMA.names
    assert json.loads(found["json"]) == rows
    assert [row["query"] for row in csv.DictReader(io.StringIO(found["csv"]))] == [row["query"] for row in rows]
    assert parquet.read_table(tmp_path / "parquet")["reason"].to_pylist() == [row["reason"] for row in rows]
    assert rows[3]["query"] in found["table"]
    assert "Snapshot 7 of 2026-01-02 · 10 photos · encoder photo-v1" in (tmp_path / "html").read_text()


def test_queries_come_from_stdin(
    stub: Stub, archive: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """As with a store, one path a line."""
    names = sorted(map(str, archive.rglob("*.jpg")))[:2]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(names)))
    assert run(["lookup", "-", "--server", stub.address, "--format", "jsonl"]) == 0
    assert [json.loads(line)["query"] for line in capsys.readouterr().out.splitlines()] == names


def test_exit_codes_are_those_of_a_store(stub: Stub, archive: Path, capsys: pytest.CaptureFixture):
    """4 when every query was rejected or the key is wrong, 75 when the server is busy for long."""
    assert run(["lookup", "missing.jpg", "--server", stub.address]) == 4
    assert "every query was rejected" in capsys.readouterr().err
    stub.next.append(problem(401, "no key"))
    assert run(["lookup", str(archive), "--server", stub.address]) == 4
    assert "wants a key" in one_error_line(capsys)
    stub.next.append(problem(503, "full", Retry_After="3600"))
    assert run(["lookup", str(archive), "--server", stub.address]) == 75
    assert "is busy or not ready: full (request r-1); it takes longer than the 120 s that" in one_error_line(capsys)


def test_options_and_the_snapshot_reach_the_server(stub: Stub, archive: Path):
    """Each as it was typed."""
    options = ["--top-k", "2", "--min-score", "0.5", "--similar", "--effort", "fast", "--claimed-date", "2024-05-01"]
    assert run(["lookup", str(archive), "--server", stub.address, "--snapshot", "3", *options]) == 0
    assert stub.asked[0][1] == {
        "top_k": "2",
        "min_score": "0.5",
        "similar": "true",
        "effort": "fast",
        "claimed_date": "2024-05-01T00:00:00+14:00",
        "snapshot": "3",
    }


@pytest.mark.parametrize(
    "words",
    [
        ["--evidence", "new"],
        ["--decode", "new"],
        ["--watch"],
        ["--runner", "local"],
        ["--workers", "2"],
        ["--memory-limit", "8GB"],
        ["--flink-master", "localhost:8081"],
    ],
    ids=lambda words: words[0],
)
def test_what_only_a_store_does_is_refused(stub: Stub, archive: Path, words: list[str], capsys: pytest.CaptureFixture):
    """With the reason and what to do, before anything is asked."""
    assert run(["lookup", str(archive), "--server", stub.address, *words]) == 2
    assert f"--server goes without {words[0]}: {ONLY_WITH_A_STORE[words[0]]}" in one_error_line(capsys)
    assert stub.paths == []


def test_flags_of_beam_are_refused(stub: Stub, archive: Path, capsys: pytest.CaptureFixture):
    """No job runs here."""
    assert run(["lookup", str(archive), "--server", stub.address, "--", "--direct_num_workers=2"]) == 2
    assert "--server goes without Beam's flags" in one_error_line(capsys)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "neither --store nor --server is given; expected one"),
        (["--store", "s", "--server", "http://h"], "--store and --server are both given; expected one"),
        (["--server", "example.org"], "server is 'example.org'; expected https://HOST or http://HOST:PORT"),
    ],
)
def test_one_source_is_named(archive: Path, words: list[str], told: str, capsys: pytest.CaptureFixture):
    """A store or a server."""
    assert run(["lookup", str(archive), *words]) == 2
    assert told in one_error_line(capsys)


def test_an_output_among_the_queries_is_refused(stub: Stub, archive: Path, capsys: pytest.CaptureFixture):
    """As with a store: it would be looked up next time, or replace a photo."""
    command = ["lookup", str(archive), "--server", stub.address, "--output", str(archive / "answers.csv")]
    assert run(command) == 2
    assert "lies among the queries" in one_error_line(capsys)


def test_a_server_that_starts_is_waited_for_in_one_line(stub: Stub, archive: Path):
    """On stderr, and once; the answers come then, and the exit code is 0."""
    stub.next.extend([problem(503, "the store is being opened", Retry_After="0")] * 3)
    command = [sys.executable, "-m", "firstseen", "lookup", str(archive), "--server", stub.address, "--format", "jsonl"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        f"firstseen: waiting up to 120 s: server {stub.address} is busy or not ready: the store is being opened "
        "(request r-1)",
        "10 queries: 10 no_match",
    ]
    assert len(done.stdout.splitlines()) == 10


def test_ctrl_c_ends_a_wait_at_once(stub: Stub, archive: Path):
    """With the exit code of an interruption, however long the server asks to wait."""
    stub.next.extend([problem(503, "the store is being opened", Retry_After="60")] * 3)
    command = [sys.executable, "-m", "firstseen", "lookup", str(archive), "--server", stub.address]
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible)
    assert process.stderr is not None
    assert "waiting up to 120 s" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 130
    assert rest.startswith("firstseen: interrupted; ")


def test_it_starts_without_what_encodes_and_searches(stub: Stub, tmp_path: Path):
    """One photo is asked of a server without importing TensorFlow or ScaNN."""
    photo = write_archive(tmp_path / "one", photos=1)[0]
    code = (
        "import sys; from firstseen.commands.running import run; "
        f"code = run(['lookup', {str(photo)!r}, '--server', {stub.address!r}, '--format', 'jsonl']); "
        "print(*{'tensorflow', 'scann', 'apache_beam', 'ai_edge_litert'} & set(sys.modules), file=sys.stderr); "
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["1 query: 1 no_match", ""]
