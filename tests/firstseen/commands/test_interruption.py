"""Tests Ctrl-C, SIGTERM and SIGHUP, from the first moment to the middle of a job."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firstseen.commands import app, interruption
from firstseen.commands.running import run
from tests.conftest import REPOSITORY, Desk
from tests.firstseen.desk import photo_of
from tests.interruptible import interruptible
from tests.photos import jpeg, scene


@pytest.mark.parametrize(
    ("signal_number", "seconds", "workers"),
    [
        (signal.SIGINT, 0, 1),
        (signal.SIGINT, 4, 1),
        (signal.SIGHUP, 4, 1),
        (signal.SIGTERM, 4, 1),
        (signal.SIGINT, 6, 2),
    ],
)
def test_an_interruption_ends_with_130_and_a_store_that_answers(
    desk: Desk, tmp_path: Path, signal_number: int, seconds: float, workers: int
):
    """An encode interrupted in the middle says one line; what was live is live, and the next run starts afresh."""
    folder = tmp_path / "large"
    folder.mkdir()
    data = jpeg(scene(1, width=3000, height=2000))
    for number in range(600):
        (folder / f"{number}.jpg").write_bytes(data + number.to_bytes(4, "big"))
    command = [sys.executable, "-m", "firstseen", "encode", str(folder), "--store", str(desk.store)]
    command += ["--workers", str(workers)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible)
    while not list(desk.store.glob("embeddings/*/*/begun.json")):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(seconds)
    process.send_signal(signal_number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors.splitlines()[-1]
    assert "Traceback" not in errors
    assert len(list(desk.store.glob("embeddings/*/*/run.json"))) == 1
    assert run(["lookup", photo_of(desk), "--store", str(desk.store)]) == 0
    assert run(["verify", "--store", str(desk.store)]) == 0


def test_an_interrupted_training_resumes_by_the_same_command(archive: Path, tmp_path: Path):
    """Ctrl-C ends it with 130 and one line; the next run says where it goes on, and writes nothing to stdout."""
    words = f"train --source {archive} --store {tmp_path}/store --work-dir {tmp_path}/work --log-dir {tmp_path}/logs "
    words += "--size 16 --latent-dim 8 --batch-size 1 --epochs 150 --set filters=2 --set halvings=1"
    command = [sys.executable, "-m", "firstseen", *words.split()]
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(command, cwd=REPOSITORY, stderr=errors, preexec_fn=interruptible)
        while "epoch 3 of 150" not in (tmp_path / "errors").read_text():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    assert (tmp_path / "errors").read_text().splitlines()[-1].startswith("firstseen: interrupted")
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "10 photos of 10 listed; left out: 0 exact duplicates, 0 that cannot be used"
    epoch = int(lines[1].removeprefix("resuming after epoch ").split(" of 150, from ")[0])
    assert epoch >= 3
    assert lines[2].startswith(f"epoch {epoch + 1} of 150: loss ")
    assert lines[-3] == f"curves: tensorboard --logdir {tmp_path}/logs"
    assert "is in the store" in lines[-2]


@pytest.mark.parametrize("seconds", [0, 0.005, 0.02])
@pytest.mark.parametrize("module", ["_heapq", "typer._click.core", "firstseen.commands.lookup"])
def test_ctrl_c_during_the_start_is_one_line(live_desk: Desk, module: str, seconds: float):
    """While modules are imported, too: no traceback, and the exit code of an interruption."""
    command = [sys.executable, "-X", "importtime", "-m", "firstseen", "lookup", "-", "--store", str(live_desk.store)]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible
    )
    assert process.stderr is not None
    # Python names each module when it has been imported: none of these belongs to Python's own start.
    while module != process.stderr.readline().rpartition("|")[2].strip():
        assert process.poll() is None
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    told = [line for line in errors.splitlines() if not line.startswith("import time:")]
    assert len(told) == 1
    assert told[0].startswith("firstseen: interrupted; answers are missing")


VERBS = [verb.__name__ for verb in app.VERBS] + [group.info.name for group in app.GROUPS]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_says_what_its_interruption_means(verb: str):
    """A verb that has nothing of its own to say says less, and never what holds for another only."""
    assert interruption.what_now([verb, "train"]) == interruption.WHAT_NOW[verb]
    assert set(interruption.WHAT_NOW) == set(VERBS)
    assert interruption.what_now(["--version"]) == interruption.ANY_VERB


def test_an_interrupted_purge_claims_nothing_that_may_not_have_happened():
    """It may be interrupted while it asks, before anything is withdrawn."""
    assert "retract --list` says whether the photo is withdrawn" in interruption.what_now(["purge"])
