"""The verb keys: add, list, remove."""

import json
from pathlib import Path

import pytest

from firstseen.commands.running import run
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
    ("arguments", "code"),
    [
        (["keys", "list", "gone.json"], 4),
        (["keys", "remove", "gone.json", "desk"], 4),
        (["keys", "add", "new.json", "a b"], 2),
        (["keys", "add", "new.json", "a", "--role", "root"], 2),
        (["keys", "add", "new.json", "a", "--days", "0"], 2),
        (["keys", "add", "new.json", "a", "--requests-per-minute", "0"], 2),
        (["keys", "add", "s3://bucket/keys.json", "a"], 2),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    arguments: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """And leaves no file."""
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == code
    one_error_line(capsys)
    assert list(tmp_path.iterdir()) == []
