"""Arrays on disk: the same rows as in memory, and no page of them stays there."""

import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest

from pipelines.index import mapped
from pipelines.index.mapped import RowsOnDisk, empty_on_disk, release, save_on_disk, taken_to_disk

ARRAY = np.arange(70, dtype=np.float32).reshape(10, 7)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows are several blocks."""
    monkeypatch.setattr(mapped, "BLOCK_ROWS", 3)


def test_an_array_is_saved_as_numpy_does(tmp_path: Path) -> None:
    """Byte by byte; an array without rows too, which no system maps."""
    for name, array in {"some": ARRAY, "none": ARRAY[:0], "bytes": ARRAY.astype(np.int8)}.items():
        np.save(tmp_path / "numpy.npy", array)
        saved = save_on_disk(tmp_path / name, array)
        assert (tmp_path / name).read_bytes() == (tmp_path / "numpy.npy").read_bytes()
        np.testing.assert_array_equal(saved, array)


def test_rows_are_taken_in_any_order() -> None:
    """A row may come twice; none is an array of none."""
    rows = np.array([9, 0, 4, 4, 8, 1, 7])
    np.testing.assert_array_equal(taken_to_disk(ARRAY, rows), ARRAY[rows])
    assert taken_to_disk(ARRAY, rows[:0]).shape == (0, 7)


def test_rows_on_disk_are_read_by_slices_and_by_number(tmp_path: Path) -> None:
    """Both give what the array holds, converted; what was read is a copy."""
    rows = RowsOnDisk(save_on_disk(tmp_path / "array.npy", ARRAY)[2:], lambda some: some * 2)
    assert len(rows) == 8
    np.testing.assert_array_equal(rows[3:5], ARRAY[5:7] * 2)
    np.testing.assert_array_equal(rows.take(np.array([0, 2, 3, 7])), ARRAY[[2, 4, 5, 9]] * 2)
    assert rows.take(np.array([], np.int64)).shape == (0, 7)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="only Linux says which pages of a file are mapped")
def test_pages_that_were_read_leave_memory(tmp_path: Path) -> None:
    """The process holds none of a file's pages after each reading; a part of an array releases all of it."""
    array = save_on_disk(tmp_path / "array.npy", np.ones((40_000, 64), np.float32))

    def resident() -> int:
        text = Path("/proc/self/smaps").read_text()
        return int(re.search(rf"{re.escape(str(tmp_path))}/array\.npy\n.*?Rss: +(\d+) kB", text, re.DOTALL)[1])

    assert float(array.sum()) == array.size
    assert resident() > 9_000
    release(array[5:])
    assert resident() == 0
    RowsOnDisk(array)[10:20]
    assert resident() == 0
    np.testing.assert_array_equal(array[::1000], 1)


def test_a_full_disk_is_an_error_before_anything_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing to a page without room on the disk would kill the process; arrays of nothing need no room."""

    def full(descriptor: int, start: int, size: int) -> None:
        assert (start, size) == (0, 12 * 8 * 4)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    array = empty_on_disk((12, 8), np.float32)
    array[:] = 1
    assert array.sum() == 96
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        empty_on_disk((12, 8), np.float32)
    assert empty_on_disk((0, 8), np.float32).shape == (0, 8)
