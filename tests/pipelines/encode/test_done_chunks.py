"""How far a run on other machines is: told by the outcomes in the store, each chunk once."""

import threading
from pathlib import Path
from typing import Any

import pytest

from foundation.errors import TemporaryError
from foundation.store.files import Store
from pipelines.encode import done_chunks
from pipelines.encode.done_chunks import DoneChunks
from pipelines.encode.outcomes import Outcome, outcomes_directory, write_outcomes
from pipelines.runners.progress import Counts

RUN = "embeddings/encoder/run"


def finish(store: Store, attempt: str, chunk: int, *outcomes: Outcome) -> None:
    """Writes down that a chunk is done."""
    rows: list[dict[str, Any]] = [
        {"position": number, "photo_id": f"{number}", "uri": f"file:///{number}", "size_bytes": 1}
        for number in range(len(outcomes))
    ]
    write_outcomes(store, f"{outcomes_directory(RUN)}/{attempt}-{chunk:08d}.parquet", rows, outcomes, None)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store that is looked into whenever anybody asks."""
    monkeypatch.setattr(done_chunks, "LOOK_EVERY_SECONDS", 0)
    return Store(tmp_path)


GOOD, BAD = Outcome(b"x" * 32), Outcome(None, "empty_file", "0 bytes")


def test_chunks_that_are_done_are_added_up(store: Store) -> None:
    """Each once, however often it is looked; those of an earlier attempt are not among the photos to read now."""
    done = DoneChunks(store, RUN, "now")
    assert done.look() == (0, 0)
    finish(store, "now", 0, GOOD, BAD)
    finish(store, "before", 1, GOOD)
    assert done.look() == done.look() == (1, 1)
    finish(store, "now", 7, GOOD, GOOD)
    assert done.look() == (3, 1)


def test_a_store_that_does_not_answer_ends_no_job(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was counted stays, and the next look tries again."""

    def fail(*_: object, **__: object) -> list[str]:
        raise TemporaryError("no answer: expected one")

    finish(store, "now", 0, GOOD)
    done = DoneChunks(store, RUN, "now")
    assert done.look() == (1, 0)
    with monkeypatch.context() as broken:
        broken.setattr(done_chunks, "outcome_paths", fail)
        assert done.look() == (1, 0)
    finish(store, "now", 1, GOOD)
    assert done.look() == (2, 0)


def test_looks_are_apart(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a bucket each is a listing."""
    monkeypatch.setattr(done_chunks, "LOOK_EVERY_SECONDS", 3600)
    done = DoneChunks(store, RUN, "now")
    finish(store, "now", 0, GOOD)
    assert done.look() == (0, 0)
    assert done.look(at_once=True) == (1, 0)


def test_chunks_are_read_side_by_side(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a bucket each is a wait; one that cannot be read keeps none of the others from being counted."""
    together = threading.Barrier(2, timeout=10)

    def read_counts(_: Store, path: str) -> Counts:
        together.wait()
        if "00000000" in path:
            raise ValueError("damaged")
        return Counts(1, 0)

    monkeypatch.setattr(done_chunks, "read_counts", read_counts)
    for chunk in range(2):
        finish(store, "now", chunk, GOOD)
    assert DoneChunks(store, RUN, "now").look() == (1, 0)
