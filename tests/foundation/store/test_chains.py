"""Chains of runs: each archive's in their order, by what every run is relative to."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.store.chains import FinishedRun, read_runs, waiting_runs
from foundation.store.files import Store
from foundation.store.runs import Accounting, Run, run_path
from foundation.store.snapshots import ArchiveState, Snapshot
from tests.builders import add_encoder, add_run, snapshot, unit_vectors


def run(run_id: str, previous: str | None = None, *, archive: str = "a", is_old: bool = False) -> FinishedRun:
    """A finished run, relative to another one, or as an older version wrote it."""
    described = Run(
        run_id=run_id,
        archive=archive,
        created_at="2024-05-31T00:00:00+00:00",
        encoder_id="encoder",
        encoder_digest="",
        decode_rule=1,
        dimension=4,
        distance="cosine",
        dtype="float32",
        accounting=Accounting(listed=0, embedded=0, duplicates=0),
        rows={},
        files={},
        features="none",
        generation=0 if is_old else 1,
        previous=previous,
        changes=0,
    )
    return FinishedRun(described, f"digest of {run_id}")


def live(left_out: Sequence[str] = (), **archives: str) -> Snapshot:
    """The live snapshot: up to which run it knows each archive."""
    states = {name: ArchiveState(run_id=run_id, digest="", photos=0, contents=0) for name, run_id in archives.items()}
    return snapshot(1, archives=states, left_out=list(left_out))


def waiting(runs: Sequence[FinishedRun], base: Snapshot | None) -> list[str]:
    """Returns the ids of the runs that wait."""
    return [one.run.run_id for one in waiting_runs(runs, base)]


CHAIN = [run("1"), run("2", "1"), run("3", "2")]


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (None, ["1", "2", "3"]),
        (live(), ["1", "2", "3"]),
        (live(a="1"), ["2", "3"]),
        (live(a="3"), []),
        (live(["3"], a="1"), ["2"]),
        (live(["2"], a="1"), []),
        (live(b="1"), ["1", "2", "3"]),
    ],
)
def test_runs_wait_that_follow_what_is_live(base: Snapshot | None, expected: list[str]) -> None:
    """In their order; one that is left out is left out with all that follow it."""
    assert waiting(CHAIN, base) == expected
    assert waiting(CHAIN[::-1], base) == expected


def test_the_order_is_that_of_the_chain_and_not_of_the_names() -> None:
    """A name begins with a second of a clock, which may have jumped."""
    assert waiting([run("1"), run("0", "1"), run("2", "0")], None) == ["1", "0", "2"]


def test_of_two_runs_with_the_same_predecessor_the_later_counts() -> None:
    """Both listed the whole archive at the same time: what was relative to the other one is stale."""
    runs = [run("1"), run("2", "1"), run("3", "1"), run("4", "2")]
    assert waiting(runs, None) == ["1", "3"]
    assert waiting(runs, live(a="1")) == ["3"]
    assert waiting(runs, live(["3"], a="1")) == ["2", "4"]
    assert waiting([run("1"), run("2")], None) == ["2"]


def test_a_run_that_follows_nothing_live_is_stale() -> None:
    """A rollback went behind what it is relative to."""
    assert waiting([run("1"), run("9", "8")], live(a="1")) == []


def test_archives_wait_one_after_the_other() -> None:
    """Each by what is live of it."""
    runs = [run("1"), run("2", archive="b"), run("3", "1"), run("4", "2", archive="b")]
    assert waiting(runs, None) == ["1", "3", "2", "4"]
    assert waiting(runs, live(b="2")) == ["1", "3", "4"]


def test_runs_of_older_versions_come_first_by_their_names() -> None:
    """Each is the whole archive; a run of today follows the last of them, indexed or not."""
    runs = [run("2", is_old=True), run("1", is_old=True), run("0", "2"), run("3", archive="b", is_old=True)]
    assert waiting(runs, None) == ["1", "2", "0", "3"]
    assert waiting(runs, live(a="1", b="3")) == ["2", "0"]
    assert waiting(runs, live(a="2", b="3")) == ["0"]
    assert waiting(runs, live(a="0", b="3")) == []


def test_a_run_that_lost_something_does_not_wait() -> None:
    """Nor does what is relative to it: the archive is encoded again."""
    runs = [run("1"), FinishedRun(run("2", "1").run, "digest", is_whole=False), run("3", "2")]
    assert waiting(runs, live(a="1")) == []


@given(st.integers(1, 8), st.integers(0, 8), st.randoms(use_true_random=False))
def test_what_is_live_and_what_waits_are_the_whole_chain(length: int, indexed: int, random) -> None:
    """Wherever the snapshot stands, and in whatever order the runs are read."""
    runs = [run(str(number), str(number - 1) if number else None) for number in range(length)]
    random.shuffle(runs)
    base = live(a=str(indexed - 1)) if 0 < indexed <= length else None
    first = indexed if base else 0
    assert waiting(runs, base) == [str(number) for number in range(first, length)]


def test_a_damaged_run_stands_in_nobodys_way(tmp_path) -> None:
    """It is told with the reason; one without run.json never finished, and is no run."""
    store = Store(tmp_path)
    encoder_id = add_encoder(store)
    for name in ("run-1", "run-2", "run-3"):
        add_run(store, encoder_id, name, unit_vectors(1, 4))
    (tmp_path / run_path(encoder_id, "run-1")).write_bytes(b"{")
    (tmp_path / run_path(encoder_id, "run-2")).unlink()
    found = read_runs(store, encoder_id)
    assert [one.run.run_id for one in found.finished] == ["run-3"]
    assert list(found.damaged) == ["run-1"]
    assert "run.json is not the JSON of an artifact" in found.damaged["run-1"]
