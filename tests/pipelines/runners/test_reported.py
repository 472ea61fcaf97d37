"""Errors that workers report: the first one reaches the launcher, and what a retry may mend is raised."""

import pickle
import re
import shutil
from pathlib import Path

import pytest

from foundation.errors import ArtifactRefusedError, InputNotFoundError, TemporaryError, UsageError
from foundation.store.files import Store
from pipelines.runners.reported import ErrorReport, unshared


@pytest.fixture
def report(tmp_path: Path) -> ErrorReport:
    """A place in an empty store."""
    store = Store(tmp_path)
    store.create("runs/7.parquet", b"work")
    return ErrorReport.beside(store, "runs/7.parquet")


def test_an_error_comes_back_as_itself(report: ErrorReport) -> None:
    """With its exit code and its message, on another machine as well; and once."""
    with report.reporting():
        raise InputNotFoundError("nothing at „é“: expected a photo")
    elsewhere = pickle.loads(pickle.dumps(report))  # noqa: S301
    assert elsewhere.is_there()
    with pytest.raises(InputNotFoundError, match=r"^nothing at „é“: expected a photo$"):
        elsewhere.settle()
    elsewhere.settle()


def test_the_first_error_is_heard(report: ErrorReport) -> None:
    """Another worker meets another one a moment later."""
    for error in (UsageError("first"), ArtifactRefusedError("second")):
        with report.reporting():
            raise error
    with pytest.raises(UsageError, match=r"^first$"):
        report.settle()


@pytest.mark.parametrize("error", [TemporaryError("busy"), ZeroDivisionError("by nothing"), KeyboardInterrupt()])
def test_what_a_retry_may_mend_is_raised(report: ErrorReport, error: BaseException) -> None:
    """So is a defect, whose traceback somebody needs, and Ctrl-C."""
    with pytest.raises(type(error)), report.reporting():
        raise error
    assert not report.is_there()


def test_without_an_error_nothing_is_written(report: ErrorReport, tmp_path: Path) -> None:
    """Nor raised."""
    with report.reporting():
        pass
    report.settle()
    assert report.store.files("runs") == ["7.parquet"]


def test_where_the_store_is_not_there_an_error_is_left_to_the_launcher(report: ErrorReport, tmp_path: Path) -> None:
    """A worker on a machine without it: raised, the error would be retried; and no folder is made there."""
    elsewhere = pickle.loads(pickle.dumps(report))  # noqa: S301
    shutil.rmtree(tmp_path)
    with elsewhere.reporting():
        elsewhere.is_there()
    assert not tmp_path.exists()


@pytest.mark.parametrize(("runner", "is_told"), [("local", False), ("flink", True)])
def test_what_was_left_undone_is_told_with_what_may_be_the_cause(
    report: ErrorReport, runner: str, is_told: bool
) -> None:
    """The processes of one machine see one store; of a cluster nothing more is known than that work is missing."""
    said = str(unshared(report, "1 of 2 chunks not encoded", runner=runner))
    where = rf"expected runs/7\.parquet to be seen in store {report.store.local_root} until the end: run again"
    assert re.search(where, said)
    assert ("maybe not all workers see the store" in said) == is_told


def test_in_another_folder_of_that_name_nothing_is_written(
    report: ErrorReport, caplog: pytest.LogCaptureFixture
) -> None:
    """Another machine may have one: an error that lies there nobody hears; the machine's log says what it lacks."""
    report.store.delete([report.work])
    with report.reporting():
        raise UsageError("no such run")
    assert report.store.files("runs") == []
    assert f"has no runs/7.parquet in store {report.store.uri}" in caplog.text
