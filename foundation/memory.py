"""Says how much memory this process may use, and gives back what it uses no more."""

import ctypes
import os
import re
import sys
from pathlib import Path

from foundation.errors import UsageError

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
# What files with a limit are called in version 2 of control groups, and in version 1, which has them in a folder.
LIMITS = (("", "memory.max"), ("memory", "memory.limit_in_bytes"))
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}


def parse_bytes(name: str, text: str) -> int:
    """Returns the bytes that a text such as 8GB, 512MiB or 1.5g says; raises UsageError for another one.

    `name` is what the user typed it after, such as `--memory-limit`.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", text.strip().upper())
    if not found or found[2] not in UNITS:
        raise UsageError(f"{name} is {text!r}; expected a number of bytes with a suffix, such as 8GB or 512MiB")
    return round(float(found[1]) * UNITS[found[2]])


def show_bytes(count: int) -> str:
    """Returns a number of bytes as a person reads it: 8.0 GB, 512 MB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def available_bytes() -> int:
    """Returns the memory that this process may take: what the machine has left, at most what its control group allows.

    A system that tells neither counts as one of 4 GB.
    """
    limits = [_machine_bytes(), *_group_limits()]
    return min((limit for limit in limits if limit), default=4 * 10**9)


def _machine_bytes() -> int | None:
    """Returns what is left for new programs without swapping; where only the whole is known, half of it."""
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", (PROC / "meminfo").read_text())
        return int(found[1]) * 1024 if found else None
    except OSError:
        names = os.sysconf_names
        if not {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(names):
            return None
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _group_limits() -> list[int]:
    """Returns the limits of this process's control group and of those that it lies in."""
    try:
        # Lines such as 0::/user.slice of version 2, and 4:memory:/docker/1234 of version 1.
        lines = [line.split(":", 2) for line in (PROC / "self/cgroup").read_text().splitlines()]
    except OSError:
        return []
    limits = []
    for (folder, name), controller in zip(LIMITS, ("", "memory"), strict=True):
        for path in (line[2] for line in lines if len(line) == 3 and controller in line[1].split(",")):
            # In a container the path may be the host's, of which nothing is seen: its own group is the top then.
            group = CGROUPS / folder / path.strip("/")
            for place in (group, *group.parents):
                if place.is_relative_to(CGROUPS / folder):
                    limits += _limit_in(place / name)
    return limits


def _limit_in(path: Path) -> list[int]:
    """Returns the limit in a file, if there is one; `max` in version 2 is none."""
    try:
        text = path.read_text().strip()
    except OSError:
        return []
    return [int(text)] if text.isdigit() else []


def release_freed() -> None:
    """Gives memory back that Arrow and other C++ freed: allocators keep it for later, and it counts until then."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    # Only GNU's C library has the call; others keep less, or give it back by themselves.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim:
        trim(0)
