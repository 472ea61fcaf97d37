"""Repair, file by file: whatever single file of a store is damaged or lost, the answers are those of before."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, FirstseenError
from foundation.store.files import Store
from foundation.store.snapshots import read_snapshot
from foundation.store.verify import verify
from pipelines.index.job import build_index
from pipelines.repair.job import repair
from tests.pipelines.answers import answers, contents_of
from tests.pipelines.two_nights import Nights, run_night


def flip(path: Path) -> None:
    """Flips one bit in the middle of a file; an empty one gets a byte."""
    data = bytearray(path.read_bytes()) or bytearray(1)
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def files_of(root: Path) -> list[Path]:
    """Returns every file of a store but those of the encoder, in the order of what they are and when they were made."""
    return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file() and "encoders" not in path.parts)


FILES = 63
# All of them take some minutes: one in six is tried unless FIRSTSEEN_EVERY_FILE is set.
STEP = 1 if "FIRSTSEEN_EVERY_FILE" in os.environ else 6
TRIALS = [(number, flip) for number in range(0, FILES, STEP)] + [
    (number, Path.unlink) for number in range(STEP // 2, FILES, STEP)
]


@pytest.mark.parametrize(("number", "damage"), TRIALS)
def test_one_damaged_file_changes_no_answer(nights: Nights, number: int, damage: Callable[[Path], None]) -> None:
    """The store verifies again, and the next night finds nothing to change; an older snapshot is left as it is."""
    files = files_of(nights.store)
    contents = contents_of(nights.store)
    before = answers(nights.store, contents)
    damage(nights.store / files[number])
    result = repair(nights.opened)
    newest = files[number] == Path("snapshots/4.json")
    assert bool(result.damages) or newest or files[number].parts[0] in ("snapshots",)
    verify(nights.opened)
    if newest:
        # What it alone held waits.
        build_index(nights.opened)
    assert answers(nights.store, contents) == before
    assert repair(nights.opened).done == []
    if files[number].parts[0] == "embeddings":
        # Whatever the repair left to be read again, the next night makes nothing else of the archives.
        for archive in (nights.archive, nights.second):
            run_night(nights.store, archive)
        assert answers(nights.store, contents) == before
        verify(nights.opened)


def test_all_files_are_tried(nights: Nights) -> None:
    """Some would go untested in a store of more, and there would be nothing to try in one of fewer."""
    assert len(files_of(nights.store)) == FILES


def test_a_damaged_encoder_is_refused(nights: Nights) -> None:
    """It was trained, and nothing else holds it."""
    path = next(nights.store.glob("encoders/*/saved_model.pb"))
    flip(path)
    live = read_snapshot(nights.opened)
    with pytest.raises(ArtifactRefusedError, match=r"saved_model\.pb is damaged.*restore encoders/.* from a copy"):
        repair(nights.opened)
    assert read_snapshot(nights.opened) == live


def test_a_dry_run_writes_nothing(nights: Nights) -> None:
    """It says what would be done."""
    flip(next(nights.store.glob("segments/*/vectors.npy")))
    flip(next(nights.store.glob("embeddings/*/*/inventory.parquet")))
    before = {path: path.read_bytes() for path in nights.store.rglob("*") if path.is_file()}
    result = repair(nights.opened, dry_run=True)
    assert len(result.damages) == 2
    assert result.done
    assert before == {path: path.read_bytes() for path in nights.store.rglob("*") if path.is_file()}


def test_a_whole_store_is_left_alone(nights: Nights) -> None:
    """No snapshot is published."""
    result = repair(Store(nights.store))
    assert (result.damages, result.done) == ([], [])
    assert read_snapshot(nights.opened).number == 4


def test_a_damaged_retraction_is_never_passed_over(nights: Nights) -> None:
    """It may name any photo: only a copy helps."""
    nights.opened.create("retractions/1.json", b"{")
    with pytest.raises(FirstseenError, match=r"retractions/1\.json") as caught:
        repair(nights.opened)
    assert caught.value.exit_code == 5
