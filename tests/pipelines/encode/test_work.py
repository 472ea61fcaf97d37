"""The work of an attempt: what is known need not be embedded, and nothing of it is left when the run is finished."""

from typing import Any

import numpy as np
import pytest

from foundation.store.segments import whole_hash
from foundation.store.unfinished import begin_run, begun_paths
from pipelines.encode import job
from pipelines.encode.work import Work, remove_attempt, remove_work
from tests.nights import Nights, hash_of


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[Work]:
    """The work of every attempt from now on."""
    works: list[Work] = []
    plan_work = job.plan_work

    def noted(*arguments: Any, **named: Any) -> Work:
        works.append(plan_work(*arguments, **named))
        return works[-1]

    monkeypatch.setattr(job, "plan_work", noted)
    # Otherwise it would be gone when the run is finished.
    monkeypatch.setattr(job, "remove_work", lambda *_: None)
    return works


def hashes_of(nights: Nights, paths: list[str]) -> set[bytes]:
    """Returns the contents of some files of hashes, each of them ascending and without any twice."""
    found: set[bytes] = set()
    for path in paths:
        hashes = np.load(nights.store.local_root / path)
        assert hashes.dtype == "S32"
        np.testing.assert_array_equal(hashes, np.unique(hashes))
        found |= {whole_hash(one) for one in hashes}
    return found


def test_contents_that_are_indexed_or_wait_are_known(nights: Nights, planned: list[Work]) -> None:
    """Of every archive, and those of the attempt before."""
    nights.put("a.jpg", 0)
    nights.night()
    nights.put("b.jpg", 1, archive="other")
    nights.encode("other")
    nights.put("c.jpg", 2)
    nights.encode()
    assert [hashes_of(nights, one.known) for one in planned] == [
        set(),
        {hash_of(0)},
        {hash_of(0), hash_of(1)},
    ]
    assert [one.withdrawn for one in planned] == [[], [], []]


@pytest.mark.parametrize(("features", "known"), [("none", {0, 1}), ("local", {1})])
def test_contents_without_local_features_are_known_to_those_that_want_none(
    nights: Nights, planned: list[Work], features: str, known: set[int]
) -> None:
    """Whoever wants them embeds such a photo once more."""
    nights.put("a.jpg", 0, archive="one")
    nights.encode("one", features="none")
    nights.put("b.jpg", 1, archive="two")
    nights.encode("two", features="local")
    for _ in range(2):
        planned.clear()
        nights.put("c.jpg", 2)
        nights.encode(features=features)
        assert hashes_of(nights, planned[0].known) >= {hash_of(number) for number in known}
        assert (hash_of(0) in hashes_of(nights, planned[0].known)) == (0 in known)
        nights.index(max_segment_rows=1)


def test_nothing_is_left_of_the_work_when_the_run_is_finished(nights: Nights, planned: list[Work]) -> None:
    """Neither the work, nor outcomes, nor who was at it: run.json and the files that it lists."""
    for number in range(4):
        nights.put(f"{number}.jpg", number)
    run = nights.encode().run
    folder = nights.store.local_root / run.directory
    assert {path.parent.name for path in folder.rglob("*") if path.is_file()} == {folder.name, "work", "outcomes"}
    remove_work(nights.store, run)
    left = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert left == {*run.files, "run.json"}


def test_an_attempt_that_came_to_nothing_removes_what_is_its_own(nights: Nights, planned: list[Work]) -> None:
    """What another process wrote down that goes on with the run stays, whichever of them began first."""
    nights.put("0.jpg", 0)
    run = nights.encode().run
    own = begin_run(nights.store, run)
    other = begin_run(nights.store, run)
    remove_attempt(nights.store, planned[0], own)
    assert begun_paths(nights.store, run.directory)[1:] == [other]
    assert not nights.store.exists(planned[0].path)
