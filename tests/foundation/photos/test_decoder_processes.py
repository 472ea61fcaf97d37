"""Decoder processes: whatever a decoder does costs its photo alone, and no process outlives its parent."""

import os
import platform
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import pytest

from foundation.errors import FirstseenError, TemporaryError, UsageError
from foundation.photos import decoder_processes
from foundation.photos.decode_ahead import decode_ahead
from foundation.photos.decoder_child import Reading
from foundation.photos.decoder_processes import ChildTraceback, DecoderProcesses
from foundation.photos.rejects import CorruptPhotoError, DecoderTimeoutError, OutOfMemoryError, PhotoError
from foundation.photos.shared_decoders import shared_decoders
from tests.conftest import REPOSITORY
from tests.foundation.photos.processes import (
    act_on,
    die_once,
    double,
    fail,
    fail_unsendably,
    faults_of_ten_megabytes,
    give_slowly,
    is_running,
    misbehave,
    unsendable,
)

# A parent with one process that waits and one that hangs, which tells their numbers.
PARENT = """
import os, sys
from pathlib import Path
from foundation.photos.decoder_processes import DecoderProcesses
from tests.foundation.photos.processes import hang_as
with DecoderProcesses(2, timeout_seconds=3) as decoders:
    hanging = decoders.threads.submit(decoders.call, hang_as, Path(sys.argv[1]))
    while not (Path(sys.argv[1]).exists() and Path(sys.argv[1]).read_text()):
        pass
    print(decoders.call(os.getpid), Path(sys.argv[1]).read_text(), flush=True)
    hanging.result()
"""


@pytest.fixture
def decoders() -> Iterator[DecoderProcesses]:
    """Two processes that give a call a second and a gigabyte."""
    with DecoderProcesses(2, timeout_seconds=1, memory_bytes=2**30) as made:
        yield made


def wait_until(condition: Callable[[], bool], *, seconds: float = 10) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_exactly_the_photos_that_decoders_die_of_are_rejects(decoders: DecoderProcesses) -> None:
    """Each for its reason; all others are right and in order, before and after."""
    hostile = {
        3: ("segfault", "decoder_crashed"),
        8: ("abort", "decoder_crashed"),
        13: ("exit", "decoder_crashed"),
        18: ("hang", "decoder_timeout"),
        19: ("eat memory", "out_of_memory"),
        24: ("be killed", "out_of_memory"),
        30: ("reject", "corrupt"),
        37: ("segfault", "decoder_crashed"),
        38: ("segfault", "decoder_crashed"),
    }

    def decode(number: int) -> int | str:
        how, _ = hostile.get(number, ("", ""))
        try:
            return decoders.call(misbehave, how, number)
        except PhotoError as error:
            return error.reason

    results = list(decode_ahead(range(50), decode, pool=decoders.threads, ahead=8))
    assert results == [hostile[number][1] if number in hostile else 2 * number for number in range(50)]


@pytest.mark.parametrize("how", ["segfault", "abort", "exit", "be killed", "eat memory"])
def test_a_photo_is_tried_once_more_in_a_fresh_process(decoders: DecoderProcesses, tmp_path: Path, how: str) -> None:
    """What killed the process may have been the photo before it, or the kernel: an innocent photo is not lost."""
    assert decoders.call(die_once, how, tmp_path / "died") == "done"


def test_a_photo_that_hung_is_not_tried_again(decoders: DecoderProcesses) -> None:
    """It would take its minute twice."""
    decoders.call(double, 1)
    begin = time.monotonic()
    with pytest.raises(PhotoError, match=r"^decoding took longer than 1 s"):
        decoders.call(misbehave, "hang", 0)
    assert 0.9 < time.monotonic() - begin < 1.9


def test_a_read_has_a_time_of_its_own(decoders: DecoderProcesses) -> None:
    """Storage that is slow, or that hangs, says nothing of the photo: only what decodes the bytes is timed with it."""
    assert decoders.call(act_on, Reading(give_slowly), "nothing") == 5
    with pytest.raises(TemporaryError, match=r"did not come within 0\.5 s; see that its disk or bucket answers"):
        decoders.call(act_on, Reading(give_slowly, seconds=0.5), "nothing")
    with pytest.raises(DecoderTimeoutError):
        decoders.call(act_on, Reading(give_slowly), "hang")
    with pytest.raises(CorruptPhotoError):
        decoders.call(act_on, Reading(partial(fail, CorruptPhotoError("gone"))), "nothing")
    assert decoders.call(double, 1) == 2


def test_memory_is_bounded_in_c_too(decoders: DecoderProcesses) -> None:
    """The bound is the system's: what a library asks for counts like Python's own, and the message says how much."""
    with pytest.raises(OutOfMemoryError, match=r"more than the 1\.0 GB"):
        decoders.call(misbehave, "eat memory in C", 0)


def test_a_process_serves_many_photos(decoders: DecoderProcesses) -> None:
    """A reject is no reason to start another one, and one is enough for calls that follow each other."""
    first = decoders.call(os.getpid)
    assert first != os.getpid()
    with pytest.raises(CorruptPhotoError):
        decoders.call(misbehave, "reject", 0)
    assert [decoders.call(os.getpid) for _ in range(5)] == [first] * 5


def test_processes_start_as_they_are_needed(decoders: DecoderProcesses) -> None:
    """None before the first photo; as many as there are calls at once, up to the number that is allowed."""
    assert not decoders._children
    decoders.call(double, 1)
    assert len(decoders._children) == 1
    list(decode_ahead([0.2] * 9, lambda seconds: decoders.call(time.sleep, seconds), pool=decoders.threads, ahead=9))
    assert len(decoders._children) == 2


def test_what_libraries_print_is_not_taken_for_an_answer(
    decoders: DecoderProcesses, capfd: pytest.CaptureFixture
) -> None:
    """Nor does it reach the terminal: stdout is for data."""
    assert decoders.call(misbehave, "print", 4) == 8
    assert capfd.readouterr() == ("", "")


def test_large_photos_pass_through_the_pipes(decoders: DecoderProcesses) -> None:
    """Rows of a Parquet file are sent whole."""
    data = os.urandom(20 * 2**20)
    assert decoders.call(bytes.upper, data) == data.upper()


def test_a_photo_too_large_to_be_received_is_a_reject_and_never_run() -> None:
    """Bytes that are left in the pipe are not taken for the next call."""
    with DecoderProcesses(1, memory_bytes=300 * 2**20) as decoders:
        with pytest.raises(OutOfMemoryError):
            decoders.call(len, bytes(400 * 2**20))
        assert decoders.call(double, 1) == 2


@pytest.mark.parametrize("error", [TemporaryError("the bucket is busy"), ZeroDivisionError("by nothing")])
def test_a_defect_is_raised_as_it_was(decoders: DecoderProcesses, error: Exception) -> None:
    """It is no reject; where it arose is told as its cause."""
    with pytest.raises(type(error), match=str(error)) as raised:
        decoders.call(fail, error)
    assert isinstance(raised.value.__cause__, ChildTraceback)
    assert "in fail\n" in str(raised.value.__cause__)
    assert decoders.call(double, 2) == 4


def test_a_defect_that_cannot_be_sent_is_told_in_words(decoders: DecoderProcesses) -> None:
    """So are results that cannot be sent; neither passes for a decoder that crashed."""
    with pytest.raises(RuntimeError, match="UnsendableError: in words"):
        decoders.call(fail_unsendably)
    with pytest.raises(Exception, match="pickle"):
        decoders.call(unsendable)
    with pytest.raises(Exception, match="pickle"):
        decoders.call(lambda: None)
    assert decoders.call(double, 2) == 4


def test_processes_that_cannot_start_are_no_rejects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation must end the run, and not reject a million photos."""
    monkeypatch.setattr(decoder_processes, "_PROGRAM", "import no_such_module")
    with DecoderProcesses(1) as decoders, pytest.raises(FirstseenError, match="status 1 before it was ready") as raised:
        decoders.call(double, 1)
    assert not isinstance(raised.value, PhotoError)


def test_a_process_that_is_killed_before_it_is_ready_costs_no_photo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another one is started, but not for ever."""
    program = decoder_processes._PROGRAM
    dies = "import os, pathlib; here = pathlib.Path({!r}); (here / str(os.getpid())).touch(); "
    dies += "len(list(here.iterdir())) < {} and os.kill(os.getpid(), 9); "
    monkeypatch.setattr(decoder_processes, "_PROGRAM", dies.format(str(tmp_path), 5) + program)
    with DecoderProcesses(1) as decoders:
        assert decoders.call(double, 1) == 2
    monkeypatch.setattr(decoder_processes, "_PROGRAM", dies.format(str(tmp_path), 99) + program)
    with DecoderProcesses(1) as decoders, pytest.raises(TemporaryError, match="5 decoder processes were killed"):
        decoders.call(double, 1)


def test_opencv_starts_no_threads_beside_the_processes(decoders: DecoderProcesses) -> None:
    """There is a process per core already."""
    assert decoders.call(cv2.getNumThreads) == 1


def test_a_process_has_no_descriptors_of_its_parent(decoders: DecoderProcesses, tmp_path: Path) -> None:
    """Neither files, nor the pipes of the others, which would keep them alive."""
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        results = decode_ahead(
            range(4), lambda _: decoders.call(os.listdir, "/proc/self/fd"), pool=decoders.threads, ahead=4
        )
        # Three standard ones, the two pipes, and the folder that is just being listed.
        assert max(len(found) for found in results) <= 6


def test_closing_waits_for_nobody() -> None:
    """Not for a process that hangs, and not for calls that have not begun; none is left."""
    decoders = DecoderProcesses(1)
    child = decoders.call(os.getpid)
    waiting = [decoders.threads.submit(decoders.call, misbehave, "hang", 0) for _ in range(3)]
    begin = time.monotonic()
    decoders.close()
    assert time.monotonic() - begin < 5
    assert not is_running(child)
    assert all(future.done() for future in waiting)
    with pytest.raises(FirstseenError, match="were closed"):
        decoders.call(double, 1)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_parent(tmp_path: Path, number: int) -> None:
    """One that waits ends at once, one that hangs after its time at the latest; Ctrl-C ends all of them."""
    command = [sys.executable, "-c", PARENT, str(tmp_path / "pid")]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout
        waiting, hanging = (int(pid) for pid in parent.stdout.readline().split())
        assert is_running(waiting)
        assert is_running(hanging)
        os.killpg(parent.pid, number)
    assert wait_until(lambda: not is_running(waiting), seconds=2)
    assert wait_until(lambda: not is_running(hanging), seconds=0 if number == signal.SIGINT else 6)


def test_all_that_decode_share_their_processes() -> None:
    """There is one per core however many steps a worker sets up; whoever leaves last ends them."""
    with shared_decoders() as one:
        child = one.call(os.getpid)
        with shared_decoders() as other:
            assert other is one
        assert is_running(child)
    assert not is_running(child)
    with shared_decoders() as later:
        assert later is not one
        assert later.call(double, 3) == 6


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep memory as they see fit")
def test_a_process_keeps_its_memory_for_the_next_photo(decoders: DecoderProcesses) -> None:
    """Given back to the kernel after each photo, every page of it would cost a fault anew."""
    pages = 10 * 2**20 // resource.getpagesize()
    decoders.call(faults_of_ten_megabytes)
    assert decoders.call(faults_of_ten_megabytes) < pages // 10


@pytest.mark.parametrize("option", ["processes", "timeout_seconds", "memory_bytes"])
def test_numbers_are_checked(option: str) -> None:
    """A pool of nothing is refused."""
    with pytest.raises(UsageError, match=option):
        DecoderProcesses(**{option: 0})
