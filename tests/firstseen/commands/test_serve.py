"""The verb serve: what is refused before anything is opened; what it does is in tests/serving/http."""

from pathlib import Path

import pytest

from firstseen.commands.running import run
from tests.firstseen.desk import one_error_line


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ([], 2, "no store is named; expected --store STORE, or FIRSTSEEN_SERVE_STORE"),
        (["--store", "STORE", "--host", "0.0.0.0"], 2, "expected --keys FILE"),  # noqa: S104
        (["--store", "STORE", "--port", "70000"], 2, "--port is 70000; expected 0 to 65,535"),
        (["--store", "STORE", "--batch-size", "0"], 2, "batch-size is 0"),
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
