"""Progress: counts of many pieces of work, added up from tiny files."""

from pathlib import Path

from pipelines.runners.progress import Counts, ProgressWriter, add_up, read_progress


def test_counts_of_all_pieces_add_up(tmp_path: Path) -> None:
    """Each piece has a file of its own; what a finished one counted still counts."""
    with ProgressWriter(str(tmp_path), 0) as first, ProgressWriter(str(tmp_path), 12) as second:
        first.add(usable=5, rejected=1)
        first.add(usable=2)
        second.add(rejected=3)
        assert read_progress(str(tmp_path)) == {0: Counts(7, 1), 12: Counts(0, 3)}
    assert add_up(read_progress(str(tmp_path)).values()) == (7, 4)


def test_a_piece_that_is_done_again_counts_once(tmp_path: Path) -> None:
    """Progress never goes beyond what there is to do, and never back."""
    directory = str(tmp_path)
    with ProgressWriter(directory, 3) as lost:
        lost.add(usable=50, rejected=2)
    with ProgressWriter(directory, 3) as again:
        again.add(usable=10)
        assert read_progress(directory) == {3: Counts(50, 2)}
        again.add(usable=50, rejected=4)
    assert read_progress(directory) == {3: Counts(60, 4)}


def test_counts_that_grow_keep_their_width(tmp_path: Path) -> None:
    """A shorter number never leaves digits of a longer one behind, and the file stays tiny."""
    with ProgressWriter(str(tmp_path), 0) as writer:
        for _ in range(1_000):
            writer.add(usable=999, rejected=1)
    assert read_progress(str(tmp_path)) == {0: Counts(999_000, 1_000)}
    assert [path.stat().st_size for path in tmp_path.iterdir()] == [25]


def test_a_file_that_was_just_opened_counts_nothing(tmp_path: Path) -> None:
    """The reader may come between opening and the first count."""
    with ProgressWriter(str(tmp_path), 0):
        assert read_progress(str(tmp_path)) == {}
    (tmp_path / "1-half").write_bytes(b"00000")
    assert add_up(read_progress(str(tmp_path)).values()) == (0, 0)


def test_a_worker_without_the_directory_counts_in_silence(tmp_path: Path) -> None:
    """On another machine there is nothing to share, and no directory is made."""
    for directory in (None, str(tmp_path / "elsewhere")):
        with ProgressWriter(directory, 0) as writer:
            writer.add(usable=1)
    assert list(tmp_path.iterdir()) == []
