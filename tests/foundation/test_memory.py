"""How much memory there is: what the system says, in the files of its day, and what people type."""

from pathlib import Path

import pytest

from foundation import memory
from foundation.errors import UsageError
from foundation.memory import available_bytes, parse_bytes, show_bytes


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes the files in which a system tells of its memory."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "cgroup")

    def write(files: dict[str, str]) -> None:
        for name, text in {"proc/meminfo": "MemFree: 1 kB\nMemAvailable:   9000 kB\n", **files}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    return write


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 9_216_000),
        ({"proc/self/cgroup": "0::/\n", "cgroup/memory.max": "5000000\n"}, 5_000_000),
        ({"proc/self/cgroup": "0::/\n", "cgroup/memory.max": "max\n"}, 9_216_000),
        ({"proc/self/cgroup": "0::/a/b\n", "cgroup/a/b/memory.max": "max\n", "cgroup/a/memory.max": "7000"}, 7_000),
        ({"proc/self/cgroup": "0::/host/only\n", "cgroup/memory.max": "6000"}, 6_000),
        ({"proc/self/cgroup": "4:cpu,memory:/x\n1:cpu:/y\n", "cgroup/memory/x/memory.limit_in_bytes": "8000"}, 8_000),
        (
            {"proc/self/cgroup": "4:memory:/x\n", "cgroup/memory/memory.limit_in_bytes": "9223372036854771712"},
            9_216_000,
        ),
    ],
)
def test_the_least_of_machine_and_control_groups_counts(system, files: dict[str, str], expected: int) -> None:
    """Both versions of control groups, the group itself and those around it, and groups without a limit."""
    system(files)
    assert available_bytes() == expected


def test_a_machine_that_says_nothing_has_some_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without such files it is what the machine has, not nothing and no error."""
    monkeypatch.setattr(memory, "PROC", tmp_path)
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    assert available_bytes() > 10**8


@pytest.mark.parametrize(
    ("text", "expected"),
    [("8GB", 8 * 10**9), ("8g", 8 * 10**9), (" 1.5 GiB ", 3 * 2**29), ("512MiB", 2**29), ("700", 700), ("2kb", 2_000)],
)
def test_sizes_are_read_as_people_write_them(text: str, expected: int) -> None:
    """Powers of ten, and of two with an i; upper or lower case."""
    assert parse_bytes("--memory-limit", text) == expected


@pytest.mark.parametrize("text", ["", "GB", "8XB", "-1GB", "8 GB of memory", "iB", "8iB"])
def test_other_sizes_are_refused(text: str) -> None:
    """The message names the flag, the value and what would do."""
    with pytest.raises(UsageError, match=r"^--memory-limit is '.*'; expected a number of bytes .* such as 8GB"):
        parse_bytes("--memory-limit", text)


def test_sizes_are_shown_in_round_numbers() -> None:
    """Two digits are enough to see what to raise."""
    assert [show_bytes(count) for count in (450_000_000, 8_123_000_000)] == ["450 MB", "8.1 GB"]
