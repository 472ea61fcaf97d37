"""A training as it is shown without a terminal, and on one."""

import re
from pathlib import Path

import pytest

from firstseen.commands import epoch_line
from firstseen.commands.epoch_line import EpochLine
from tests.firstseen.commands.test_progress import Terminal


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds, set by the test."""
    now = [100.0]
    monkeypatch.setattr(epoch_line.time, "monotonic", lambda: now[0])
    return now


def show(line: EpochLine, clock: list[float], *, epochs: range, seconds_per_batch: float) -> None:
    """Shows these of three epochs of ten batches each; the first batch and the first validation take 5 s more."""
    clock[0] += 5
    for epoch in epochs:
        for batch in range(1, 11):
            clock[0] += seconds_per_batch
            line.show_batch(epoch, batch, 1 / (10 * epoch + batch))
        clock[0] += 5 if epoch == epochs[0] else 1
        line.show_epoch(epoch, 1 / (10 * epoch), 2 / (10 * epoch))


def test_without_a_terminal_each_epoch_is_a_line(clock: list[float], capsys: pytest.CaptureFixture):
    """Losses, seconds and the time left, which does not count what only the first batch and validation wait for."""
    with EpochLine() as line:
        line.start(Path("work"), epoch=0, epochs=3, batches=10)
        show(line, clock, epochs=range(1, 4), seconds_per_batch=2)
        line.end(epoch=3, best_epoch=2, val_loss=0.1)
    assert capsys.readouterr().err.splitlines() == [
        "training for 3 epochs; interrupted, it resumes from work",
        "epoch 1 of 3: loss 0.10000, validation loss 0.20000, 30.0 s, 0:00:40 left",
        "epoch 2 of 3: loss 0.05000, validation loss 0.10000, 21.0 s, 0:00:21 left",
        "epoch 3 of 3: loss 0.03333, validation loss 0.06667, 21.0 s, 0:00:00 left",
        "trained until epoch 3; best: epoch 2, validation loss 0.10000",
    ]


def test_a_long_epoch_is_a_line_every_thirty_seconds(clock: list[float], capsys: pytest.CaptureFixture):
    """A log shows that it goes on; the time left is that of all epochs that remain, after a resume too."""
    with EpochLine() as line:
        line.start(Path("work"), epoch=2, epochs=3, batches=10)
        show(line, clock, epochs=range(3, 4), seconds_per_batch=20)
        line.end(epoch=3, best_epoch=1, val_loss=0.2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == [
        "resuming after epoch 2 of 3, from work",
        "epoch 3 of 3: batch 2 of 10, loss 0.03125, 0:02:40 left",
        "epoch 3 of 3: batch 4 of 10, loss 0.02941, 0:02:00 left",
    ]
    assert len(lines) == 8


def test_an_early_end_and_a_damaged_checkpoint_are_told(clock: list[float], capsys: pytest.CaptureFixture):
    """Nobody has to wonder why a training was short, or why it began anew."""
    with EpochLine() as line:
        line.start(Path("work"), epoch=0, epochs=9, batches=1, damage="half a file")
        clock[0] += 31
        line.show_batch(1, 1, 0.5)
        line.end(epoch=4, best_epoch=2, val_loss=0.5)
    assert capsys.readouterr().err.splitlines() == [
        "the checkpoint in work is damaged (half a file): training begins anew",
        "training for 9 epochs; interrupted, it resumes from work",
        "epoch 1 of 9: batch 1 of 1, loss 0.50000, time left unknown",
        "trained until epoch 4 of 9, since none was better; best: epoch 2, validation loss 0.50000",
    ]


def test_on_a_terminal_there_is_a_bar(clock: list[float], monkeypatch: pytest.MonkeyPatch):
    """One line in eighty columns, which moves within an epoch; it stays, and the best epoch stands below."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    with EpochLine() as line:
        line.start(Path("work"), epoch=0, epochs=3, batches=10)
        show(line, clock, epochs=range(1, 3), seconds_per_batch=2)
        line.show_batch(3, 1, 0.01)
        line.end(epoch=3, best_epoch=2, val_loss=0.1)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue()).strip().splitlines()
    assert re.fullmatch(r"epoch 3/3 [━╸╺ ]{20} loss 0.01000 validation 0.10000 0:00:17 left *", lines[-2])
    assert lines[-1].startswith("trained until epoch 3; best: epoch 2")
