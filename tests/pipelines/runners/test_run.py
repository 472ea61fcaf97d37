"""Runners: flags checked before anything starts, and errors of a worker that arrive as themselves."""

import contextlib
import logging
import os
import time
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState

from foundation.errors import (
    ArtifactRefusedError,
    FirstseenError,
    InputNotFoundError,
    TemporaryError,
    TranslatedOnlyError,
    UsageError,
)
from foundation.store.files import Store
from pipelines.runners import names, run
from pipelines.runners.reported import ErrorReport


@pytest.fixture
def report(tmp_path_factory: pytest.TempPathFactory) -> ErrorReport:
    """A place for the error of a job, in a store of its own."""
    store = Store(tmp_path_factory.mktemp("store"))
    store.create("work/queries.parquet", b"work")
    return ErrorReport.beside(store, "work/queries.parquet")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--no_such_flag=1"], "Beam does not know --no_such_flag=1; expected its pipeline options after `--`"),
        (["--proj=x"], "Beam does not know --proj=x"),
        (["word"], "Beam does not know word"),
        (["--help"], "Beam does not know --help"),
        (["--direct_num_workers=many"], "Beam refuses a flag: .*invalid int value: 'many'"),
        (["--project"], "Beam refuses a flag: .*expected one argument"),
        (["--runner=FlinkRunner"], "expected firstseen's own --runner"),
        (["--dry_run=False"], "Beam takes --dry_run=False for yes; expected no --dry_run at all"),
        (["--dry_run", "no"], "Beam takes --dry_run=no for yes"),
    ],
)
def test_a_flag_that_beam_would_drop_is_a_usage_error(flags: list[str], message: str) -> None:
    """Unknown, shortened, without a value, with a bad one, one that firstseen sets itself, or one that means yes."""
    with pytest.raises(UsageError, match=message):
        run.create_pipeline("local", beam_flags=flags)


def test_beams_own_flags_reach_the_pipeline() -> None:
    """Flags of any option class are taken, whichever runner they are for."""
    pipeline = run.create_pipeline("local", beam_flags=["--project=p", "--flink_master=host:1", "--save_main_session"])
    options = pipeline.options.get_all_options()
    assert (options["project"], options["flink_master"], options["save_main_session"]) == ("p", "host:1", True)


def write_process(_: int, folder: str) -> None:
    """Leaves a file named after the process that ran the step."""
    Path(folder, str(os.getpid())).touch()


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_are_processes(workers: int, tmp_path: Path, capfd: pytest.CaptureFixture, report: ErrorReport) -> None:
    """One worker runs in this process, which starts sooner; several are processes, and keep off the terminal."""
    pipeline = run.create_pipeline("local", workers=workers, beam_flags=[])
    _ = pipeline | beam.Create(range(8)) | beam.Reshuffle() | beam.Map(write_process, str(tmp_path))
    run.run_to_end(pipeline, report=report)
    here = [path.name == str(os.getpid()) for path in tmp_path.iterdir()]
    assert here
    assert all(here) if workers == 1 else not any(here)
    assert capfd.readouterr().err == ""


def interrupt(_: int) -> None:
    """Fails as a step does when Ctrl-C strikes while it runs."""
    raise KeyboardInterrupt


def test_ctrl_c_inside_a_step_is_an_interruption(report: ErrorReport) -> None:
    """The runner wraps it; what comes out is a KeyboardInterrupt again, not a failed pipeline."""
    pipeline = run.create_pipeline("local", beam_flags=[])
    _ = pipeline | beam.Create([1]) | beam.Map(interrupt)
    with pytest.raises(KeyboardInterrupt):
        run.run_to_end(pipeline, report=report)


@pytest.mark.parametrize("runner", ["NoSuchRunner", "no.such.module.Runner", "os.path.NoRunner", ""])
def test_an_unknown_runner_is_a_usage_error(runner: str) -> None:
    """The message names the choices."""
    with pytest.raises(UsageError, match=r"cannot be used \(.*expected local, "):
        run.create_pipeline(runner, beam_flags=[])


def test_pipelines_do_not_pile_up_log_handlers() -> None:
    """A service that makes many pipelines keeps the handlers it has."""
    run.create_pipeline("local", beam_flags=[])
    before = list(logging.getLogger().handlers)
    run.create_pipeline("local", beam_flags=[])
    assert logging.getLogger().handlers == before


TRACEBACK = """Error processing instruction 7. Original traceback is
Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1498, in process
  File "/app/training/store.py", line 150, in _translated
    raise TemporaryError(...)
{line} [while running 'WriteShards-ptransform-12']

Note: imports, functions and other variables defined in the global context of your __main__ file are not available.
"""


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("foundation.errors.TemporaryError: disk full", TemporaryError, "disk full"),
        ("RuntimeError: foundation.errors.ArtifactRefusedError: a: b", ArtifactRefusedError, "a: b"),
        ("foundation.errors.FirstseenError: lost", FirstseenError, "lost"),
    ],
)
def test_a_traceback_gives_the_error_back(line: str, kind: type, message: str) -> None:
    """Other runners hand on text only: type, exit code and message are found in it, without Beam's step."""
    error = run.typed_error(RuntimeError(TRACEBACK.format(line=line)))
    assert type(error) is kind
    assert str(error) == message


def test_the_last_error_of_a_chain_counts() -> None:
    """A traceback shows the cause first and what it was turned into last."""
    chain = "foundation.errors.InputNotFoundError: first\n\nDuring ...\n\nfoundation.errors.TemporaryError: last"
    error = run.typed_error(RuntimeError(chain))
    assert (type(error), str(error)) == (TemporaryError, "last")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("one\ntwo"), "the pipeline failed: two"),
        (ValueError(), "the pipeline failed: ValueError"),
        (RuntimeError("foundation.errors.os: x"), "the pipeline failed: foundation.errors.os: x"),
        (RuntimeError("foundation.errors.NoSuchError: x"), "the pipeline failed: foundation.errors.NoSuchError: x"),
    ],
)
def test_any_other_error_is_one_line(error: Exception, message: str) -> None:
    """What the project does not know ends with exit code 1 and the last line of the text."""
    found = run.typed_error(error)
    assert (type(found), str(found), found.exit_code) == (FirstseenError, message, 1)


class Fail(beam.DoFn):
    """Raises."""

    def __init__(self, error: Exception):
        self._error = error

    def process(self, element: int):
        """Raises the error it was given."""
        raise self._error


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (
            TemporaryError("cannot write: No space left on device"),
            TemporaryError,
            "cannot write: No space left on device",
        ),
        (InputNotFoundError("gone"), InputNotFoundError, "gone"),
        (ZeroDivisionError("by nothing"), FirstseenError, "the pipeline failed: by nothing"),
    ],
)
def test_an_error_in_a_dofn_ends_the_run_as_itself(
    error: Exception, kind: type, message: str, report: ErrorReport
) -> None:
    """The exit code of the command line is the worker's, not Beam's RuntimeError's."""
    pipeline = run.create_pipeline("local", beam_flags=[])
    _ = pipeline | beam.Create([1]) | beam.ParDo(Fail(error))
    with pytest.raises(FirstseenError) as caught:
        run.run_to_end(pipeline, report=report)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(message)
    assert kind is FirstseenError or str(caught.value) == message


def test_progress_is_told_while_it_runs_and_once_at_the_end(
    monkeypatch: pytest.MonkeyPatch, report: ErrorReport
) -> None:
    """The last call comes after the last photo, so that the bar reaches its end; a failed run ends the ticking too."""
    monkeypatch.setattr(run, "PROGRESS_INTERVAL_SECONDS", 0.01)
    done: list[int] = []
    ticks: list[int] = []
    pipeline = run.create_pipeline("local", beam_flags=[])
    _ = pipeline | beam.Create([1]) | beam.Map(lambda one: time.sleep(0.3) or done.append(one))
    run.run_to_end(pipeline, report=report, on_progress=lambda: ticks.append(1))
    assert len(ticks) > 3

    failing = run.create_pipeline("local", beam_flags=[])
    _ = failing | beam.Create([1]) | beam.ParDo(Fail(TemporaryError("x")))
    with pytest.raises(TemporaryError):
        run.run_to_end(failing, report=report, on_progress=lambda: ticks.append(1))
    ended = len(ticks)
    time.sleep(0.1)
    assert len(ticks) == ended


def refuse(number: int, report: ErrorReport) -> int:
    """Meets what no retry mends, and goes on as a step does that reports it."""
    with report.reporting():
        raise ArtifactRefusedError(f"encoder {number} is damaged: expected another; restore it")
    return number


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_worker_reported_is_raised_by_the_launcher(workers: int, report: ErrorReport) -> None:
    """The runner sees a job that came to its end: it has nothing to try again."""
    pipeline = run.create_pipeline("local", workers=workers, beam_flags=[])
    _ = pipeline | beam.Create([7]) | beam.Reshuffle() | beam.Map(refuse, report)
    with pytest.raises(ArtifactRefusedError, match=r"^encoder 7 is damaged: expected another; restore it$"):
        run.run_to_end(pipeline, report=report)
    assert not report.is_there()


def test_what_was_reported_comes_before_what_failed_for_it(report: ErrorReport) -> None:
    """A later step that misses what was not done says nothing of the reason."""
    pipeline = run.create_pipeline("local", beam_flags=[])
    _ = pipeline | beam.Create([7]) | beam.Map(refuse, report) | beam.ParDo(Fail(KeyError("missing")))
    with pytest.raises(ArtifactRefusedError, match="encoder 7"):
        run.run_to_end(pipeline, report=report)


class DataflowRunner(PipelineRunner):
    """Stands in for the runner of that name, which needs Google's libraries: its job ends as it is told to."""

    def __init__(self, error: BaseException | None = None):
        self._error = error
        self.cancelled = 0

    def run_pipeline(self, pipeline: beam.Pipeline, options: PipelineOptions) -> PipelineResult:
        """Returns a result that is there already."""
        result = PipelineResult(PipelineState.DONE)
        result.wait_until_finish = self._wait
        result.cancel = self._cancel
        return result

    def _wait(self, duration: int | None = None) -> None:
        if self._error:
            raise self._error

    def _cancel(self) -> None:
        self.cancelled += 1
        raise OSError("no answer")


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("--template_location=gs://b/t.json", "its description lies at gs://b/t.json"),
        ("--dry_run=True", "keeps nothing"),
    ],
)
def test_a_job_that_dataflow_only_translates_is_not_taken_for_done(flag: str, words: str, report: ErrorReport) -> None:
    """Whoever looked for what it made would find nothing; nor is it a failure."""
    pipeline = run.create_pipeline("local", beam_flags=[flag])
    pipeline.runner = DataflowRunner()
    with pytest.raises(TranslatedOnlyError, match=words) as caught:
        run.run_to_end(pipeline, report=report)
    assert caught.value.exit_code == 0


def test_flags_of_dataflow_mean_nothing_to_other_runners(tmp_path: Path, report: ErrorReport) -> None:
    """They run all the same."""
    pipeline = run.create_pipeline("local", beam_flags=["--template_location=t.json"])
    _ = pipeline | beam.Create([1]) | beam.Map(write_process, str(tmp_path))
    run.run_to_end(pipeline, report=report)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), RuntimeError("failed")])
def test_a_job_on_dataflow_is_cancelled_with_its_launcher(error: BaseException | None, report: ErrorReport) -> None:
    """Its machines would go on, and be paid for; what stops the launcher is what is told."""
    pipeline = run.create_pipeline("local", beam_flags=[])
    pipeline.runner = runner = DataflowRunner(error)
    with contextlib.ExitStack() as raised:
        if error:
            raised.enter_context(pytest.raises(KeyboardInterrupt if error.args == () else FirstseenError))
        run.run_to_end(pipeline, report=report)
    assert runner.cancelled == (1 if error else 0)


@pytest.mark.parametrize(
    ("runner", "flags", "expected"),
    [
        ("local", [], 2),
        ("local", ["--project=p"], 2),
        ("FlinkRunner", ["--parallelism=5"], 5),
        ("FlinkRunner", [], names.CLUSTER_WORKERS),
    ],
)
def test_work_is_cut_for_the_workers_that_there_are(runner: str, flags: list[str], expected: int) -> None:
    """As far as a cluster says how many it has."""
    assert names.check_runner(runner, workers=2, beam_flags=flags) == expected
