"""What decoder processes are asked to do in tests, and whether a process is there."""

import ctypes
import mmap
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from foundation.photos.rejects import CorruptPhotoError


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def double(number: int) -> int:
    """Works."""
    return 2 * number


def misbehave(how: str, number: int) -> int:
    """Does what decoders do to bytes that their authors did not think of; returns the double of the number else."""
    match how:
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "exit":
            os._exit(7)
        case "hang":
            time.sleep(60)
        case "eat memory":
            np.ones(2**31, np.uint8)
        case "eat memory in C":
            mmap.mmap(-1, 2**31, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        case "be killed":
            os.kill(os.getpid(), 9)
        case "reject":
            raise CorruptPhotoError("received damaged JPEG, expected a sound file")
        case "print":
            os.write(1, b"a remark of a library")
    return double(number)


def give_slowly() -> bytes:
    """Gives bytes as storage does that takes longer than a call of the tests may."""
    time.sleep(1.3)
    return b"photo"


def act_on(read: Callable[[], bytes], how: str) -> int:
    """Takes the bytes, which are there at once, and then misbehaves; returns how many there are."""
    data = read()
    misbehave(how, 0)
    return len(data)


def die_once(how: str, marker: Path) -> str:
    """Dies in the first process that it is called in, and works in the next."""
    if marker.exists():
        return "done"
    marker.touch()
    misbehave(how, 0)
    return "alive"


def fail(error: Exception) -> None:
    """Fails as a defect of our own code does."""
    raise error


class UnsendableError(Exception):
    """An error that a pickle cannot bring back."""

    def __init__(self, one: str, _two: str):
        super().__init__(one)


def fail_unsendably() -> None:
    """Raises an error that cannot be sent."""
    raise UnsendableError("in words", "and more")


def unsendable() -> object:
    """Returns what cannot be sent."""
    return lambda: None


def hang_as(marker: Path) -> None:
    """Writes its process id to a file, and hangs."""
    marker.write_text(str(os.getpid()))
    time.sleep(60)


def faults_of_ten_megabytes(_: object = None) -> int:
    """Takes ten megabytes, as the arrays of a photo do, gives them back, and returns how many page faults that took."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(10 * 2**20, np.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
