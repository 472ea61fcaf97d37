"""The verb serve: what is refused before anything is opened; what it does is in tests/serving/http."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from firstseen.commands.running import run
from serving.http.options import ServeOptions
from serving.live.options import LiveOptions
from tests.infra.command_line import parse


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text is written as on a terminal, whatever the environment of the tests says."""
    monkeypatch.delenv("FIRSTSEEN_LOG_FORMAT", raising=False)


def one_error_line(capsys: pytest.CaptureFixture) -> str:
    """Returns the only line of stderr, without the time that each line of a service's log begins with."""
    (line,) = capsys.readouterr().err.splitlines()
    stamped = re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (firstseen: .*)", line)
    assert stamped, line
    return stamped[1]


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ([], 2, "no store is named; expected --store STORE, or FIRSTSEEN_SERVE_STORE"),
        (["--store", "STORE", "--host", "0.0.0.0"], 2, "expected --keys FILE"),  # noqa: S104
        (["--store", "STORE", "--port", "70000"], 2, "--port is 70000; expected 0 to 65,535"),
        (["--store", "STORE", "--batch-size", "0"], 2, "--batch-size is 0"),
        (["--store", "STORE", "--max-body-bytes", "64XB"], 2, "--max-body-bytes is '64XB'; expected a number of bytes"),
        (["--store", "STORE", "--max-body-bytes", "3GB"], 2, "--max-body-bytes is 3000000000; expected 1,024 to"),
        (["--store", "STORE", "--keys", "s3://b/keys.json"], 2, "expected a path on this machine"),
        (["--store", "STORE", "--host", "192.0.2.1", "--insecure"], 2, "nothing can listen at 192.0.2.1"),
        (["--store", "STORE", "--port", "0"], 4, "STORE"),
        (["--store", "STORE", "--port", "0", "--keys", "gone.json"], 4, "gone.json cannot be read"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    flags: list[str],
    code: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
):
    """With the exit code of its kind; keys are read before the store is opened, which takes longer."""
    monkeypatch.chdir(tmp_path)
    assert run(["serve", *flags]) == code
    assert told in one_error_line(capsys)


def test_flags_win_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """What is set for all services of a machine can be set otherwise for one."""
    monkeypatch.setenv("FIRSTSEEN_SERVE_STORE", str(tmp_path))
    monkeypatch.setenv("FIRSTSEEN_SERVE_PORT", "70000")
    assert run(["serve"]) == 2
    assert "--port is 70000" in one_error_line(capsys)
    assert run(["serve", "--port", "70001"]) == 2
    assert "--port is 70001" in one_error_line(capsys)


def test_sizes_have_suffixes_in_the_environment_and_in_flags(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """All requests together have to have room for one, whichever way each was said."""
    monkeypatch.setenv("FIRSTSEEN_SERVE_MAX_BODIES_BYTES", "8MB")
    assert run(["serve", "--store", str(tmp_path), "--max-body-bytes", "8MiB"]) == 2
    assert "--max-bodies-bytes is 8000000; expected at least 8,388,608" in one_error_line(capsys)


def test_a_path_in_the_environment_is_checked_as_that_of_a_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    """As a path, the address of a bucket would lose a slash."""
    monkeypatch.setenv("FIRSTSEEN_SERVE_KEYS", "s3://bucket/keys.json")
    assert run(["serve", "--store", str(tmp_path)]) == 2
    assert "'s3://bucket/keys.json' is an address" in one_error_line(capsys)


def test_a_misspelt_variable_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """It would be passed over, and a limit would not be the one that was set."""
    monkeypatch.setenv("FIRSTSEEN_SERVE_MAX_IMAGE", "8")
    assert run(["serve", "--store", str(tmp_path)]) == 2
    assert "FIRSTSEEN_SERVE_MAX_IMAGE is set, and no flag has its name; expected FIRSTSEEN_SERVE_MAX_IMAGES: " in (
        one_error_line(capsys)
    )


def test_every_option_is_a_flag_of_the_same_name():
    """One that were none could not be set by a flag, and nobody would notice."""
    _, flags = parse(["firstseen", "serve"])
    options = {one.name for kind in (ServeOptions, LiveOptions) for one in fields(kind)}
    assert options | {"store"} == set(flags)


def test_help_has_no_time(capsys: pytest.CaptureFixture):
    """It is no line of a log."""
    assert run(["serve", "--help"]) == 0
    assert capsys.readouterr().err == ""
