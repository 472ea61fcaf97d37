"""Progress: counts of many workers, added up from tiny files."""

from pathlib import Path

from pipelines.runners.progress import ProgressWriter, read_progress


def test_counts_of_all_workers_add_up(tmp_path: Path) -> None:
    """Each worker has a file of its own; what a closed one counted still counts."""
    first, second = ProgressWriter(str(tmp_path)), ProgressWriter(str(tmp_path))
    first.add(embedded=5, rejected=1)
    first.add(embedded=2)
    first.close()
    second.add(rejected=3)
    assert read_progress(str(tmp_path)) == (7, 4)
    second.close()
    assert read_progress(str(tmp_path)) == (7, 4)


def test_counts_that_grow_keep_their_width(tmp_path: Path) -> None:
    """A shorter number never leaves digits of a longer one behind, and the file stays tiny."""
    writer = ProgressWriter(str(tmp_path))
    for _ in range(1_000):
        writer.add(embedded=999, rejected=1)
    writer.close()
    assert read_progress(str(tmp_path)) == (999_000, 1_000)
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [25]


def test_a_file_that_was_just_opened_counts_nothing(tmp_path: Path) -> None:
    """The reader may come between opening and the first count."""
    ProgressWriter(str(tmp_path)).close()
    (tmp_path / "half").write_bytes(b"00000")
    assert read_progress(str(tmp_path)) == (0, 0)


def test_a_worker_without_the_directory_counts_in_silence(tmp_path: Path) -> None:
    """On another machine there is nothing to share, and no directory is made."""
    for directory in (None, str(tmp_path / "elsewhere")):
        writer = ProgressWriter(directory)
        writer.add(embedded=1)
        writer.close()
    assert list(tmp_path.iterdir()) == []
