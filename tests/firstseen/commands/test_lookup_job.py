"""Long lists are looked up by a job: who decides that, what is refused, and what is told meanwhile."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from firstseen.commands import lookup_job, lookup_line
from firstseen.commands.lookup_job import JobFlags, is_for_a_job, split_beam_flags, write_found
from firstseen.commands.lookup_line import LookupLine
from firstseen.commands.running import run
from foundation.errors import AccessDeniedError, UsageError
from foundation.store.files import Store
from pipelines.lookup.progress import Progress
from pipelines.lookup.results import OutdatedAnswersError
from serving.batch.described import DescribedSnapshot
from serving.queries import Listed
from serving.watch import watched_contents
from tests.conftest import Desk
from tests.faulty import faulty_s3
from tests.firstseen.desk import one_error_line, photo_of
from tests.foundation.archives.test_buckets import fill
from tests.photos import jpeg, noise


@pytest.mark.parametrize(
    ("arguments", "queries", "flags"),
    [
        (["a.jpg", "-"], ["a.jpg", "-"], []),
        (["a.jpg", "--flink_master=x", "--name", "y"], ["a.jpg"], ["--flink_master=x", "--name", "y"]),
        (["-weird.jpg"], ["-weird.jpg"], []),
    ],
)
def test_beams_flags_follow_the_queries(arguments: list[str], queries: list[str], flags: list[str]) -> None:
    """A photo may be called like a flag of one dash; one of two dashes is given as ./--photo.jpg."""
    assert split_beam_flags(arguments) == (queries, flags)


def test_a_photo_is_no_flag_of_beam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who puts `--` before a file name, as with other programs, is told how it is given here."""
    monkeypatch.chdir(tmp_path)
    Path("--x.jpg").touch()
    with pytest.raises(UsageError, match=r"^--x\.jpg .* is a file; expected \./--x\.jpg"):
        split_beam_flags(["--name=y", "--x.jpg"])


def choose(desk: Desk, number: int, flags: JobFlags = JobFlags(), **changes: bool) -> tuple[bool, int]:  # noqa: B008
    """Returns whether a job looks so many queries up, and how many of them come out."""
    given = {"snapshot": None, "has_folders": False, "is_typed": False, **changes}
    by_job, listed = is_for_a_job(map(Listed, map(str, range(number))), Store(desk.store), flags, **given)
    return by_job, sum(1 for _ in listed)


def test_a_job_is_chosen_by_the_number_of_queries(live_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or by a flag that asks for one; none of the queries is lost on the way."""
    monkeypatch.setattr(lookup_job, "JOB_QUERIES", 3)
    assert [choose(live_desk, number) for number in (0, 3, 4, 9)] == [(False, 0), (False, 3), (True, 4), (True, 9)]
    for flags in (
        JobFlags(runner="local"),
        JobFlags(workers=1),
        JobFlags(memory_limit="4GB"),
        JobFlags(beam_flags=["--x"]),
    ):
        assert choose(live_desk, 1, flags) == (True, 1)
    # What a job does not write, and names that somebody types, are for this process.
    assert choose(live_desk, 9, has_folders=True) == choose(live_desk, 9, is_typed=True) == (False, 9)


@pytest.mark.parametrize(
    ("segments", "is_job"), [([], False), ([400], False), ([400, 400], True), ([700], False), ([700, 100], False)]
)
def test_an_index_above_the_memory_takes_a_job(
    live_desk: Desk, monkeypatch: pytest.MonkeyPatch, segments: list[int], is_job: bool
) -> None:
    """Its segments are opened by groups there; where one alone is too large, a job would be refused."""
    monkeypatch.setattr("pipelines.index.memory.available_bytes", lambda: 2_000_000_000)
    monkeypatch.setattr("pipelines.lookup.memory.bytes_to_open", lambda megabytes: megabytes * 1_000_000)
    monkeypatch.setattr(DescribedSnapshot, "read", lambda *_: SimpleNamespace(segments=segments))
    assert choose(live_desk, 1) == (is_job, 1)


def test_little_memory_is_no_reason_for_a_job(live_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small index is looked up in as before."""
    monkeypatch.setattr("pipelines.index.memory.available_bytes", lambda: 1_000_000_000)
    assert choose(live_desk, 1) == (False, 1)


def test_a_store_that_is_only_read_is_looked_up_in_here(live_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job keeps its files in the store."""
    monkeypatch.setattr(lookup_job, "JOB_QUERIES", 3)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert choose(live_desk, 9) == (False, 9)


@pytest.mark.parametrize("denied", ["create", "delete"])
def test_a_bucket_that_is_only_read_is_known_before_the_work(
    live_desk: Desk,
    bucket: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
    denied: str,
) -> None:
    """Many queries are looked up in here, with a line that says so; a job that is asked for is refused at once."""
    store = Store(bucket)
    assert lookup_job.may_write(store)
    assert store.walk() == []

    def deny(*_: object) -> None:
        raise AccessDeniedError("permission denied")

    monkeypatch.setattr(Store, denied, deny)
    monkeypatch.setattr(lookup_job, "JOB_QUERIES", 3)
    monkeypatch.setattr(lookup_job, "is_larger_than_memory", lambda *_: False)
    for number, words in ((3, ""), (4, f"the store {bucket} may not be written to: no job looks up")):
        listed = map(Listed, map(str, range(number)))
        by_job, left = is_for_a_job(listed, store, JobFlags(), snapshot=None, has_folders=False, is_typed=False)
        assert (by_job, len(list(left))) == (False, number)
        assert words in capsys.readouterr().err
    with pytest.raises(AccessDeniedError, match=r"may not be written to; .* look up without --runner"):
        is_for_a_job(iter(()), store, JobFlags("local"), snapshot=None, has_folders=False, is_typed=False)


@pytest.mark.parametrize("how", [[], ["--runner", "local"]])
def test_an_outage_among_the_queries_is_no_answer(
    desk: Desk, bucket: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, how: list[str]
) -> None:
    """Exit code 75 and no file of answers, however it is looked up; when storage is back, the photo is found."""
    fill(bucket, {"a.jpg": Path(photo_of(desk)).read_bytes()})
    output = desk.store.parent / "answers.jsonl"
    command = ["lookup", f"{bucket}/a.jpg", "--store", str(desk.store), "--output", str(output), *how]
    with faulty_s3(monkeypatch) as faults:
        # What is only looked at is there: the outage begins when photos are read.
        faults.share, faults.kinds, faults.methods = 1.0, ("503",), ("GET",)
        assert run(command) == 75
        assert f"cannot read {bucket}/a.jpg: " in one_error_line(capsys)
        assert not output.exists()
        faults.share = 0.0
        assert run(command) == 0
    assert json.loads(output.read_text())["status"] == "matched"
    assert Store(desk.store).directories("lookups") == []


def test_typed_names_are_not_waited_for(live_desk: Desk) -> None:
    """Of an endless list nothing is taken."""
    endless: Iterator[Listed] = map(Listed, map(str, itertools.count()))
    given = {"snapshot": None, "has_folders": False, "is_typed": True}
    assert next(is_for_a_job(endless, Store(live_desk.store), JobFlags(), **given)[1]).name == "0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runner", "local", "--evidence", "proof"], "--evidence and --decode are not written by a job"),
        (["--workers", "0"], "workers is 0; expected"),
        (["--memory-limit", "much"], "--memory-limit is 'much'; expected a number of bytes"),
        (["--memory-limit", "700MB"], "raise --memory-limit"),
        (["--", "--flink_mastr=x"], "Beam does not know --flink_mastr=x"),
        (["--runner", "Nowhere"], "runner 'Nowhere' cannot be used"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    live_desk: Desk,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list,
    message: str,
) -> None:
    """Before anything is written."""
    monkeypatch.chdir(tmp_path)
    assert run(["lookup", photo_of(live_desk), "--store", str(live_desk.store), *arguments]) == 2
    assert message in one_error_line(capsys)
    assert Store(live_desk.store).directories("lookups") == []


def test_a_job_writes_data_alone_to_stdout_and_watches(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    """The queries that have no match are watched as ever."""
    stranger = tmp_path / "stranger.jpg"
    stranger.write_bytes(jpeg(noise(99)))
    command = ["lookup", photo_of(desk), str(stranger), "--store", str(desk.store), "--format", "jsonl", "--watch"]
    assert run([*command, "--runner", "local"]) == 0
    told = capsys.readouterr()
    assert [json.loads(line)["status"] for line in told.out.splitlines()] == ["matched", "no_match"]
    assert "2 queries: 1 matched, 1 no_match" in told.err
    assert len(watched_contents(Store(desk.store))) == 1


class Found:
    """A lookup whose first answers name what is withdrawn while they are written."""

    def __init__(self) -> None:
        self.times = 0

    def answers(self, *, may_be_taken_back: bool) -> Iterator[list]:
        """Yields an answer, and takes it back the first time."""
        self.times += 1
        yield [self.times]
        if may_be_taken_back and self.times == 1:
            raise OutdatedAnswersError("outdated")


def test_a_file_is_written_once_more_if_it_is_outdated() -> None:
    """What went to stdout was right when it was written, and stays."""
    assert write_found(Found(), list, to_file=True) == [[2]]  # type: ignore[arg-type]
    assert write_found(Found(), list, to_file=False) == [[1]]  # type: ignore[arg-type]


def test_a_log_gets_a_line_every_half_minute(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the stage, and the rate of what this process answers."""
    clock = [0.0]
    monkeypatch.setattr(lookup_line.time, "monotonic", lambda: clock[-1])
    with LookupLine() as line:
        for seconds, answered in ((0.0, 100), (10.0, 200), (40.0, 500)):
            clock.append(seconds)
            line.show(Progress(answered, 1_000, "round 1 of 2, searching: 3 of 8 chunks"))
    words = "looking up: 500 of 1,000 queries, 10.0/s, 0:00:50 left; round 1 of 2, searching: 3 of 8 chunks"
    assert capsys.readouterr().err.splitlines() == [words]


def test_the_error_of_both_ways_is_a_usage_error(live_desk: Desk) -> None:
    """Whatever the number of queries."""
    with pytest.raises(UsageError):
        choose(live_desk, 1, JobFlags(runner="local"), has_folders=True)
