"""The verb keys: add, list, remove."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from firstseen.commands.running import run
from serving.http.keys import add_key, now
from tests.conftest import REPOSITORY
from tests.firstseen.desk import one_error_line


def test_a_key_is_shown_once_listed_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture):
    """stdout has the key alone; the file has its digest, and the list neither."""
    file = str(tmp_path / "keys.json")
    assert run(["keys", "add", file, "desk"]) == 0
    shown = capsys.readouterr()
    (secret,) = shown.out.split()
    assert secret.startswith("fsk_")
    assert "shown once" in shown.err
    robot = ["--role", "search", "--role", "admin", "--requests-per-minute", "60", "--days", "30"]
    assert run(["keys", "add", file, "robot", *robot]) == 0
    assert secret not in Path(file).read_text()
    assert [key["name"] for key in json.loads(Path(file).read_text())["keys"]] == ["desk", "robot"]
    capsys.readouterr()
    assert run(["keys", "list", file]) == 0
    desk, robot_line = capsys.readouterr().out.splitlines()
    assert desk == "desk  search  as often as it likes  for ever"
    assert robot_line.startswith("robot  search, admin  60 a minute  until 2")
    assert run(["keys", "remove", file, "desk"]) == 0
    capsys.readouterr()
    assert run(["keys", "list", file]) == 0
    assert capsys.readouterr().out.startswith("robot")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["list", "gone.json"], 4, "gone.json cannot be read: No such file"),
        (["remove", "gone.json", "desk"], 4, "gone.json cannot be read: No such file"),
        (["add", "gone/keys.json", "desk"], 4, "there is no folder gone; expected one"),
        (["add", ".", "desk"], 4, "cannot be read: Is a directory"),
        (["add", "new.json", "a b"], 2, "the name is 'a b'; expected up to 64 letters"),
        (["add", "new.json", "a", "--role", "root"], 2, "--role is 'root'; expected one of: search, admin"),
        (["add", "new.json", "a", "--days", "0"], 2, "--days is 0; expected 1 to 36,500"),
        (
            ["add", "new.json", "a", "--requests-per-minute", "0"],
            2,
            "--requests-per-minute is 0; expected 1 to 1",
        ),
        (["add", "s3://bucket/keys.json", "a"], 2, "expected a path on this machine"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    arguments: list[str],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    """And leaves no file."""
    monkeypatch.chdir(tmp_path)
    assert run(["keys", *arguments]) == code
    assert told in one_error_line(capsys)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_nobody_saw_is_not_kept(tmp_path: Path):
    """Its name is free for the next one; a full disk behind stdout is a temporary failure."""
    file = tmp_path / "keys.json"
    command = [sys.executable, "-m", "firstseen", "keys", "add", str(file), "desk"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, cwd=REPOSITORY, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 75
    assert "No space left on device: standard output" in done.stderr
    assert "is shown once" not in done.stderr
    assert json.loads(file.read_text()) == {"keys": []}


def test_expired_keys_and_files_without_any_are_told(tmp_path: Path, capsys: pytest.CaptureFixture):
    """A list says which of them are refused; a name that is not there is refused with those that are."""
    file = tmp_path / "keys.json"
    add_key(file, "old", roles=["search"], expires_at=now() - timedelta(days=1))
    assert run(["keys", "list", str(file)]) == 0
    assert capsys.readouterr().out == "old  search  as often as it likes  expired\n"
    assert run(["keys", "remove", str(file), "new"]) == 4
    assert "has no key 'new'; expected one of: old" in one_error_line(capsys)
    assert run(["keys", "remove", str(file), "old"]) == 0
    capsys.readouterr()
    assert run(["keys", "list", str(file)]) == 0
    assert "holds no key: nobody is answered" in capsys.readouterr().err
    assert run(["keys", "remove", str(file), "old"]) == 4
    assert "expected a file with keys: it holds none" in one_error_line(capsys)
