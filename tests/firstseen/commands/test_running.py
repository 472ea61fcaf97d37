"""Tests how a command ends: one clear line per error, the right exit code, and nothing but data on stdout."""

import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from firstseen.commands.running import run
from foundation.errors import FirstseenError, InputNotFoundError, TemporaryError
from tests.conftest import REPOSITORY, Desk
from tests.firstseen.desk import one_error_line, photo_of
from tests.photos import write_archive


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("no-such-verb", 2, "no-such-verb"),
        ("lookup x.jpg", 2, "--store"),
        ("lookup --store {store}", 2, "Missing argument 'queries'; see firstseen lookup --help"),
        ("lookup https://host/a.jpg --store {store}", 2, "'https://host/a.jpg': addresses are not fetched"),
        ("lookup {long} --store {store}", 4, "every query was rejected"),
        ("lookup {photo} --store {store} --top-k many", 2, "--top-k"),
        ("lookup {photo} --store {store} --top-k 0", 2, "top-k is 0"),
        ("lookup {photo} --store {store} --format xml", 2, "expected one of: table"),
        ("lookup {photo} --store {store} --format parquet", 2, "--output"),
        ("lookup {photo} --store {store} --output /nowhere/x", 4, "/nowhere"),
        ("lookup {photo} --store {store} --snapshot 9", 4, "no snapshot 9"),
        ("lookup /nowhere.jpg --store {store}", 4, "every query was rejected"),
        ("lookup /nowhere.parquet --store {store}", 4, "/nowhere.parquet"),
        ("lookup {photo} --store /nowhere", 4, "no store at /nowhere"),
        ("lookup {photo} --store ftp://host/x", 2, "ftp"),
        ("encode /nowhere --store {store}", 4, "expected a folder"),
        ("encode {photo} --store {store}", 4, "is a file"),
        ("encode {archive} --store {store} --encoder none-1", 4, "no encoder 'none-1'"),
        ("encode {archive} --store {store} --workers 0", 2, "workers is 0"),
        ("encode {archive} --store {store} --dtype int8", 2, "int8"),
        ("encode {archive} --store {store} --runner Nope", 2, "Nope"),
        ("encode {archive} --store {store} -- --no_such_flag=1", 2, "--no_such_flag=1"),
        ("encode {archive} --store {store} --max-rejects 3", 2, "max-rejects is 3"),
        ("lookup {photo} --store {store} --format csv --output {store}/snapshots/1.json", 2, "lies in the store"),
        ("lookup {photo} --store {store} --format csv --output {photo}", 2, "among the queries"),
        ("lookup {archive} --store {store} --format csv --output {photo}", 2, "among the queries"),
        ("lookup {photo} --store {store} --batch-size 1000000000", 2, "batch-size is 1000000000"),
        ("lookup {photo} --store file://relative", 2, "no absolute path"),
        ("lookup {photo} --store {store} --output {long}", 4, "File name too long"),
        ("index --store {store} --min-recall 2", 2, "min-recall is 2"),
        ("rollback --store {store}", 4, "no parent"),
        ("rollback --store {store} --to 5", 4, "no snapshot 5"),
        ("encode {archive} --store {file}", 4, "{file} is a file; expected a directory"),
        ("status --store {file}", 4, "{file} is a file; expected a directory"),
        ("estimate {archive} --store {file}", 4, "{file} is a file; expected a directory"),
        ("encode {archive} --store {store} --catalog s3://b/a.csv", 2, "'s3://b/a.csv' is an address"),
        ("lookup {photo} --store {store} --output gs://b/a.csv", 2, "'gs://b/a.csv' is an address"),
        ("estimate {archive} --store {store} --prices s3://b/p.json", 2, "'s3://b/p.json' is an address"),
        ("train --source {archive} --store {store} --log-dir gs://b/logs", 2, "'gs://b/logs' is an address"),
        ("evaluate copies --store {store} --photos {archive} --output s3://b/p", 2, "'s3://b/p' is an address"),
        ("demo --directory s3://b/demo", 2, "'s3://b/demo' is an address"),
        ("train --source {archive} --store {store} --recipe nope", 2, "convolutional"),
        ("train --source {archive} --store {store} --set nope", 2, "NAME=VALUE"),
        ("train --source /nowhere --store {store}", 4, "/nowhere"),
    ],
)
def test_bad_input_ends_in_one_line_and_the_right_code(
    desk: Desk, capsys: pytest.CaptureFixture, arguments: str, code: int, words: str
):
    """Received, expected, remedy; the store answers as before."""
    before = sorted(path for path in desk.store.rglob("*") if path.suffix == ".json")
    names = {"photo": photo_of(desk), "store": desk.store, "archive": desk.archive, "long": "x" * 300, "file": __file__}
    assert run([word.format(**names) for word in arguments.split()]) == code
    assert words.format(**names) in one_error_line(capsys)
    assert sorted(path for path in desk.store.rglob("*") if path.suffix == ".json") == before


def test_an_empty_argument_is_not_the_current_folder(desk: Desk, capsys: pytest.CaptureFixture):
    """An unset variable must not look everything up that lies around."""
    assert run(["lookup", "", "--store", str(desk.store)]) == 2
    assert "one argument is empty" in one_error_line(capsys)


@pytest.mark.parametrize(("name", "option"), [("--x.jpg", "--x.jpg"), ("-x.jpg", "-x")])
def test_a_file_that_looks_like_an_option_is_told_how_to_be_given(
    live_desk: Desk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    option: str,
):
    """Its name is a photo's, and to the command line an option's; a name of no file is an option that there is not."""
    monkeypatch.chdir(tmp_path)
    assert run(["lookup", name, "--store", str(live_desk.store)]) == 2
    assert one_error_line(capsys) == f"firstseen: No such option: {option}; see firstseen lookup --help"
    Path(name).write_bytes(Path(photo_of(live_desk)).read_bytes())
    assert run(["lookup", name, "--store", str(live_desk.store)]) == 2
    assert f"; the file is given as ./{name}; see" in one_error_line(capsys)
    assert run(["lookup", f"./{name}", "--store", str(live_desk.store)]) == 0


@pytest.mark.parametrize(
    "arguments",
    [["status", "--store", "here"], ["encode", "here", "--store", "{store}"], ["lookup", "here.jpg", "--workers", "1"]],
)
def test_a_working_directory_that_was_removed_is_one_line(
    live_desk: Desk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
):
    """What is relative cannot be found any more, and that is no defect."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    store = [] if "--store" in arguments else ["--store", str(live_desk.store)]
    assert run([*(word.format(store=live_desk.store) for word in arguments), *store]) == 4
    assert "the folder that this was started in is gone" in one_error_line(capsys)


def test_closed_streams_are_no_defect(live_desk: Desk):
    """Without stdin, stdout and stderr the exit code still says how it ended."""
    command = shlex.join([sys.executable, "-m", "firstseen", "status", "--store", str(live_desk.store)])
    done = subprocess.run(f"{command} <&- >&- 2>&-", cwd=REPOSITORY, shell=True, check=False)  # noqa: S602
    assert done.returncode == 0


def test_a_full_disk_is_exit_code_75(
    desk: Desk, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The scheduler may retry; the old answers stand."""

    def full(*_, **__):
        raise TemporaryError("cannot write part-x: No space left on device; free some space and run again")

    monkeypatch.setattr("pipelines.encode.write_shards.to_parquet", full)
    write_archive(tmp_path / "more", photos=3, first_seed=90)
    assert run(["encode", str(tmp_path / "more"), "--store", str(desk.store)]) == 75
    assert "No space left" in one_error_line(capsys)
    assert run(["lookup", photo_of(desk), "--store", str(desk.store)]) == 0


def test_a_reader_that_goes_away_is_no_error(live_desk: Desk):
    """`firstseen … | head -1` ends quietly."""
    command = [sys.executable, "-m", "firstseen", "status", "--store", str(live_desk.store)]
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(command, cwd=REPOSITORY, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, "")


def run_broken(broken: str, *, stdout: int = subprocess.DEVNULL) -> subprocess.CompletedProcess:
    """Runs `status` in a process of its own, in which reading the status of a store executes `broken` instead."""
    script = (
        "import sys, errno\n"
        "from foundation.store import status\n"
        "from firstseen.__main__ import main\n"
        f"def broken(store): {broken}\n"
        "status.read_status = broken\n"
        "sys.argv = ['firstseen', 'status', '--store', '.']\n"
        "main()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False
    )


@pytest.mark.parametrize("code", ["", "0", "2", "'the library gives up'"])
def test_a_library_that_ends_the_process_is_no_success(code: str):
    """Whatever it says with its SystemExit, the work was not done."""
    done = run_broken(f"raise SystemExit({code})")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("firstseen: unexpected SystemExit")


def test_only_the_reader_of_stdout_may_go_away():
    """A pipe to a worker that breaks is a failure, even while nobody reads stdout any more."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = run_broken("raise BrokenPipeError(errno.EPIPE, 'Broken pipe')", stdout=write_end)
    os.close(write_end)
    assert done.returncode == 1
    assert "unexpected BrokenPipeError" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SystemExit(3), 1, "unexpected SystemExit: 3"),
        (EOFError("3 bytes are missing"), 1, "unexpected EOFError: 3 bytes are missing"),  # Typer hides its words
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 1, "unexpected BrokenPipeError"),
        (FirstseenError("nobody expected this"), 1, "nobody expected this"),
        (MemoryError("9 TB"), 2, "more memory was needed than there is (9 TB)"),
        (InputNotFoundError("no photo a\nb\x1b[2Jç.jpg"), 4, r"no photo a\nb\x1b[2Jç.jpg"),
        (PermissionError(errno.EACCES, "Permission denied", "a.csv"), 4, "Permission denied: 'a.csv'"),
        (OSError(errno.ENOSPC, "No space left", "part-1"), 75, "No space left: part-1; free some space"),
        (OSError(errno.EDQUOT, "Quota exceeded"), 75, "Quota exceeded: an output or temporary file; free some"),
    ],
)
def test_every_kind_of_error_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, error: BaseException, code: int, words: str
):
    """One line each; only an error that is a defect shows where it comes from."""

    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr("foundation.store.status.read_status", fail)
    assert run(["status", "--store", str(REPOSITORY)]) == code
    told = capsys.readouterr().err.splitlines()
    assert told[-1].startswith("firstseen: ")
    assert words in told[-1]
    assert any("Traceback" in line for line in told) == (code == 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, which only Linux has")
@pytest.mark.parametrize("arguments", ["--help", "--version", "status --store {store} --json"])
def test_a_full_standard_output_is_named(live_desk: Desk, arguments: str):
    """Exit code 75, one line, and no complaint of Python's own when it ends."""
    command = [sys.executable, "-m", "firstseen", *arguments.format(store=live_desk.store).split()]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=REPOSITORY, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 75
    assert done.stderr == "firstseen: No space left on device: standard output; free some space and run again\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, which only Linux has")
def test_an_error_that_cannot_be_told_keeps_its_exit_code():
    """A log on a full disk must not turn a usage error into a defect."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "firstseen", "no-such-verb"], cwd=REPOSITORY, stderr=full, check=False
        )
    assert done.returncode == 2


def test_what_a_job_has_to_say_beside_its_outcome_is_told() -> None:
    """As a line like all others: a job that goes on elsewhere after Ctrl-C; libraries stay silent."""
    script = (
        "import logging\n"
        "from firstseen.commands.running import quiet_libraries\n"
        "quiet_libraries([])\n"
        "logging.getLogger('pipelines.runners.flink_job').warning('job %s was not cancelled', 'mine')\n"
        "logging.getLogger('apache_beam.runners').warning('no matter')\n"
        "logging.getLogger('pipelines.encode.chunks').info('no matter')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "firstseen: job mine was not cancelled\n")
