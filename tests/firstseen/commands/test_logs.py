"""Tests the lines on stderr as JSON objects: what each holds, and that nothing else comes between them."""

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from firstseen.commands import interruption, logs
from firstseen.commands.progress import ProgressLine
from firstseen.commands.running import run
from firstseen.commands.streams import tell
from tests.conftest import REPOSITORY, Desk
from tests.firstseen.commands.test_app import modules_after

JSON_FORMAT = ["--log-format", "json"]


def told(capsys: pytest.CaptureFixture) -> list[dict[str, Any]]:
    """Returns the lines of stderr, each of which must be a JSON object."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_lines_of_a_command_are_json_objects(live_desk: Desk, capsys: pytest.CaptureFixture):
    """Time in UTC, level, event and verb; stdout has the data alone, as without the option."""
    assert run(["verify", "--store", str(live_desk.store)]) == 0
    plain = capsys.readouterr()
    assert run([*JSON_FORMAT, "verify", "--store", str(live_desk.store)]) == 0
    captured = capsys.readouterr()
    assert captured.out == plain.out
    *lines, last = [json.loads(line) for line in captured.err.splitlines()]
    assert [line["event"] for line in lines] == plain.err.splitlines()
    assert [line["path"] for line in lines] == [line.removeprefix("checking ") for line in plain.err.splitlines()]
    assert (last["event"], last["exit_code"], last["level"]) == ("ended", 0, "info")
    for line in (*lines, last):
        assert list(line)[:4] == ["timestamp", "level", "event", "verb"]
        assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)
        assert line["verb"] == "verify"


def test_what_became_of_the_photos_is_told_in_fields(store: Path, archive: Path, capsys: pytest.CaptureFixture):
    """Every line names the run, once it has begun; counts are numbers, reasons and the exit code are fields."""
    (archive / "bad.jpg").write_bytes(b"")
    assert run([*JSON_FORMAT, "encode", str(archive), "--store", str(store)]) == 3
    accounting, reason, *_, error, last = told(capsys)
    (folder,) = store.glob("embeddings/*/*")
    assert {line["run_id"] for line in (accounting, reason, error, last)} == {folder.name}
    assert (accounting["listed"], accounting["embedded"], accounting["rejected"]) == (11, 10, {"empty_file": 1})
    assert (reason["reason"], reason["count"]) == ("empty_file", 1)
    assert (error["level"], error["exit_code"], last["exit_code"]) == ("error", 3, 3)
    assert run([*JSON_FORMAT, "index", "--store", str(store)]) == 0
    segment, snapshot, *_ = told(capsys)
    assert (segment["rows"], snapshot["snapshot"], snapshot["photos"]) == (10, 1, 10)
    assert "run_id" not in snapshot


def test_progress_from_a_thread_names_the_run(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """A pipeline shows its progress from a thread of its own."""
    monkeypatch.setattr("firstseen.commands.progress.PLAIN_LINE_EVERY_SECONDS", 0)
    with logs.begun([*JSON_FORMAT, "encode"]), ProgressLine("encoding") as progress:
        logs.bind(run_id="run-1")
        thread = threading.Thread(target=progress.show, args=(10, 4, 1))
        thread.start()
        thread.join()
    (line,) = told(capsys)
    assert (line["run_id"], line["listed"], line["done"], line["rejected"]) == ("run-1", 10, 5, 1)
    assert line["photos_per_second"] > 0


@pytest.mark.parametrize("arguments", [["no-such-verb"], ["status"], ["status", "--store", ""]])
def test_a_wrong_command_line_is_told_as_json(capsys: pytest.CaptureFixture, arguments: list[str]):
    """Before any verb has begun, too."""
    assert run([*JSON_FORMAT, *arguments]) == 2
    error, last = told(capsys)
    assert error["event"].startswith("firstseen: ")
    assert (error["level"], error["exit_code"], last["exit_code"]) == ("error", 2, 2)


def test_a_format_that_is_none_is_refused(capsys: pytest.CaptureFixture):
    """In one line of text, which names both."""
    assert run(["--log-format=xml", "status", "--store", "x"]) == 2
    assert "'xml' is not one of 'text', 'json'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "arguments", "expected"),
    [
        (None, [], False),
        ("json", [], True),
        ("json", ["--log-format=text"], False),
        ("text", ["--log-format", "json"], True),
        ("text", ["--log-format=text", "--log-format=json"], True),
    ],
)
def test_the_option_comes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, arguments: list[str], expected: bool
):
    """The verb is found behind the option; a command inside another one, as in the demo, writes as that one does."""
    if variable:
        monkeypatch.setenv(logs.VARIABLE, variable)
    arguments = [*arguments, "demo", "--log-format", "of the verb"]
    assert logs.global_options(arguments)[1] == "demo"
    with logs.begun(arguments):
        assert logs.is_on() == expected
        with logs.begun(["encode", "x"]):
            assert logs.is_on() == expected
    assert not logs.is_on()


def script_of(body: str) -> list[str]:
    """Returns a command in which reading the status of a store runs `body` instead, and then fails."""
    script = (
        "import sys, threading, time, warnings, logging\n"
        "from foundation.store import status\n"
        "from firstseen.__main__ import main\n"
        f"def read(store):\n{body}    raise KeyError('it is broken')\n"
        "status.read_status = read\n"
        "sys.argv = ['firstseen', '--log-format', 'json', 'status', '--store', '.']\n"
        "main()\n"
    )
    return [sys.executable, "-c", script]


def run_script(body: str) -> list[dict[str, Any]]:
    """Returns the lines of a process that runs such a script."""
    done = subprocess.run(script_of(body), cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_what_libraries_say_becomes_json_too():
    """Warnings, handlers of logging and prints of several threads: each line is an object, and none is torn."""
    body = (
        "    warnings.warn('it is old')\n"
        "    logging.StreamHandler().emit(logging.makeLogRecord({'msg': 'from a handler'}))\n"
        "    say = lambda: [print('from', 'a', 'thread', file=sys.stderr) for _ in range(100)]\n"
        "    threads = [threading.Thread(target=say) for _ in range(4)]\n"
        "    [thread.start() for thread in threads]\n"
        "    [thread.join() for thread in threads]\n"
    )
    foreign = [line for line in run_script(body) if line.get("source") == "library"]
    assert {line["level"] for line in foreign} == {"warning"}
    assert "UserWarning: it is old" in foreign[0]["event"]
    events = [line["event"] for line in foreign]
    assert events.count("from a handler") == 1
    assert events.count("from a thread") == 400


def test_a_defect_has_its_traceback_in_a_field():
    """In one object with the error: a collector keeps them together."""
    error, last = run_script("")
    assert error["event"].startswith("firstseen: unexpected KeyError: 'it is broken'")
    assert error["traceback"].startswith("Traceback")
    assert (error["exit_code"], last["exit_code"]) == (1, 1)


@pytest.mark.parametrize("verb", [*interruption.WHAT_NOW, "no-such-verb", 'a"b'])
def test_an_interruption_of_any_verb_is_one_object(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture, verb: str
):
    """It is written without a library, so that its words must need no escapes."""
    monkeypatch.setattr(os, "_exit", lambda code: None)
    interruption.leave(["--log-format", "json", verb])
    line = json.loads(capfd.readouterr().err)
    assert line["event"] == f"firstseen: interrupted; {interruption.what_now([verb])}"
    assert (line["level"], line["exit_code"]) == ("error", 130)
    assert line["verb"] == (verb if verb in interruption.WHAT_NOW else "")


def test_sigterm_ends_a_command_with_json():
    """What a scheduler sends: exit code 130, and the last line is an object that names the verb."""
    body = "    print('reading', file=sys.stderr)\n    time.sleep(60)\n"
    process = subprocess.Popen(script_of(body), cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert json.loads(process.stderr.readline())["event"] == "reading"
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    ended, interrupted = map(json.loads, errors.splitlines())
    assert (ended["event"], ended["exit_code"]) == ("ended", 130)
    assert interrupted["event"].startswith("firstseen: interrupted; the store is untouched")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full, which only Linux has")
def test_a_log_that_cannot_be_written_changes_no_exit_code():
    """As with lines of text: a usage error stays one."""
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "firstseen", *JSON_FORMAT, "no-such-verb"]
        assert subprocess.run(command, cwd=REPOSITORY, stderr=full, check=False).returncode == 2


def test_lines_of_text_need_no_structlog(live_desk: Desk):
    """It is loaded only for JSON, since it takes a tenth of a second."""
    assert "structlog" not in modules_after("status", "--store", str(live_desk.store))


def test_a_line_that_is_no_text_is_told(capsys: pytest.CaptureFixture):
    """A file name need not be UTF-8, and a field need not be of JSON."""
    with logs.begun([*JSON_FORMAT, "encode"]):
        tell("no photo \udcff\n.jpg", path=Path("a"))
    (line,) = told(capsys)
    assert (line["event"], line["path"]) == ("no photo \udcff\n.jpg", "PosixPath('a')")


def test_lines_of_a_service_begin_with_their_time(capsys: pytest.CaptureFixture):
    """In text as in JSON, in UTC; what other commands say is read at once."""
    with logs.begun(["serve", "--store", "x"]):
        tell("ready")
        with logs.begun(["status"]):
            tell("all is well")
    tell("nothing runs")
    stamped, *plain = capsys.readouterr().err.splitlines()
    time, _, line = stamped.partition(" ")
    assert abs(datetime.fromisoformat(time) - datetime.now(timezone.utc)) < timedelta(minutes=1)
    assert line == "ready"
    assert plain == ["all is well", "nothing runs"]
