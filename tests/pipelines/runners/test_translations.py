"""Jobs that Dataflow is only to translate, where there is none to translate: told, and nothing is left of them."""

from pathlib import Path
from typing import Any

import pytest

from foundation.errors import TranslatedOnlyError
from pipelines.index.job import build_index
from pipelines.index.plan import IndexOptions
from tests.nights import Nights

TRANSLATED: dict[str, Any] = {"runner": "dataflow", "beam_flags": ["--dry_run=True"]}


@pytest.fixture
def removed(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Nights after which a photo was removed: there is something to say, and nothing to read."""
    for job in ("encode", "index"):
        # Dataflow's own checks, which ask for more flags and for Google's libraries.
        monkeypatch.setattr(f"pipelines.{job}.job.check_runner", lambda *_, **__: 1)
    for number in range(4):
        nights.put(f"{number}.jpg", number)
    nights.night()
    nights.path("3.jpg").unlink()
    return nights


def files_of(nights: Nights) -> dict[Path, bytes]:
    """Returns every file of the store."""
    root = nights.store.local_root
    assert root
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_an_encode_that_reads_no_photo_finishes_no_run(removed: Nights) -> None:
    """Nobody asked for one: the next encode says what has changed."""
    before = files_of(removed)
    with pytest.raises(TranslatedOnlyError, match="no photo has to be read: there is no job to translate"):
        removed.encode(**TRANSLATED)
    assert files_of(removed) == before
    assert removed.encode().accounting.removed == 1


def test_an_index_that_builds_no_segment_publishes_nothing(removed: Nights) -> None:
    """Nobody asked for that: the run that was to be left out still waits."""
    leave_out = IndexOptions(leave_out=(removed.encode().run.run_id,))
    before = files_of(removed)
    with pytest.raises(TranslatedOnlyError, match="no segment has to be built: there is no job to translate"):
        build_index(removed.store, options=leave_out, **TRANSLATED)
    assert files_of(removed) == before
    assert build_index(removed.store, options=leave_out).snapshot.left_out
