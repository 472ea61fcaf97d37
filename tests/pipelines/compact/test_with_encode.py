"""Compactions between encode and index, and during them: no photo is lost that was found again."""

import pytest

from foundation.store.rollback import roll_back
from foundation.store.snapshots import read_snapshot
from foundation.store.unfinished import begin_run
from pipelines.compact.job import compact_all
from pipelines.encode import job
from tests.nights import Found, Nights


def put_and_remove(nights: Nights) -> None:
    """Indexes two photos, of which one goes: its content is held, and nobody has it."""
    nights.put("stays.jpg", 1)
    nights.put("gone.jpg", 2)
    nights.night()
    nights.path("gone.jpg").unlink()
    nights.night()
    assert nights.found() == {Found("archive", "stays.jpg", 1)}


BACK = {Found("archive", "stays.jpg", 1), Found("archive", "back.jpg", 2)}


def held(nights: Nights) -> int:
    """Returns how many contents the live segments hold."""
    return sum(one.rows for one in read_snapshot(nights.store).segments)


def test_a_rollback_undoes_the_night_and_not_its_compaction(nights: Nights):
    """The compaction changed no answer."""
    put_and_remove(nights)
    compact_all(nights.store)
    assert roll_back(nights.store).reason == "rollback to 1"
    assert nights.found() == {Found("archive", "stays.jpg", 1), Found("archive", "gone.jpg", 2)}


def test_a_photo_that_comes_back_after_a_compaction_is_decoded_again(nights: Nights):
    """Its vector was dropped; nothing is missing."""
    put_and_remove(nights)
    assert compact_all(nights.store).dropped == 1
    assert held(nights) == 1
    nights.put("back.jpg", 2)
    nights.decoded.clear()
    nights.night()
    assert len(nights.decoded) == 1
    assert nights.found() == BACK


def test_what_a_waiting_run_found_again_is_not_dropped(nights: Nights):
    """It was known, so that the run has no vector of it: the compacted segment keeps the one there is."""
    put_and_remove(nights)
    nights.put("back.jpg", 2)
    nights.decoded.clear()
    nights.encode()
    assert nights.decoded == []
    assert compact_all(nights.store).dropped == 0
    assert held(nights) == 2
    nights.index()
    assert nights.found() == BACK


def test_what_a_run_that_was_left_out_found_again_is_not_dropped(nights: Nights):
    """It may be taken up."""
    put_and_remove(nights)
    nights.put("back.jpg", 2)
    run = nights.encode().run
    nights.put("other.jpg", 3, archive="second")
    nights.encode("second")
    nights.index(leave_out=(run.run_id,))
    compact_all(nights.store)
    nights.index(take_up=(run.run_id,))
    assert nights.found() == BACK | {Found("second", "other.jpg", 3)}


def test_an_encode_knows_what_is_held_when_it_has_begun(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    """A compaction while the archive is listed sees no run yet, and drops what was known when the encode started."""
    put_and_remove(nights)
    nights.put("back.jpg", 2)

    def begin_after_a_compaction(*arguments) -> str:
        assert compact_all(nights.store).dropped == 1
        return begin_run(*arguments)

    monkeypatch.setattr(job, "begin_run", begin_after_a_compaction)
    nights.night()
    assert nights.found() == BACK


def test_a_compaction_after_a_run_began_drops_nothing_that_it_knows(nights: Nights, monkeypatch: pytest.MonkeyPatch):
    """The content stays, and stays hidden until the run is indexed."""
    put_and_remove(nights)
    nights.put("back.jpg", 2)
    plan_work = job.plan_work

    def plan_before_a_compaction(*arguments, **options):
        work = plan_work(*arguments, **options)
        assert compact_all(nights.store).dropped == 0
        assert nights.found() == {Found("archive", "stays.jpg", 1)}
        return work

    monkeypatch.setattr(job, "plan_work", plan_before_a_compaction)
    nights.night()
    assert nights.found() == BACK
