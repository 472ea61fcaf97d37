"""A command as the one step of a job: it runs to its end, and its exit code decides what becomes of the job."""

import logging
from pathlib import Path

import pytest

from foundation.errors import FirstseenError
from pipelines.runners.launched import launch, run_command


def test_a_launched_command_does_its_work(archive: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """An archive is encoded by it, and what it says stands in the log of the worker."""
    caplog.set_level(logging.INFO)
    launch(
        ["encode", str(archive), "--store", str(tmp_path / "store"), "--features", "none"],
        runner="local",
        beam_flags=[],
    )
    assert list((tmp_path / "store" / "embeddings").glob("*/*/run.json"))
    assert any("listed 10 = embedded 10" in message for message in caplog.messages)


def test_a_command_that_fails_fails_its_step(tmp_path: Path):
    """With its exit code and its last line, which says why."""
    with pytest.raises(FirstseenError, match=r"firstseen index ended with exit code 4: firstseen: .*no store"):
        run_command(["index", "--store", str(tmp_path / "none")])
