"""Failures of workers: the work is named, and the error keeps its meaning through whatever a runner makes of it."""

import errno
import inspect
import os
import pickle
import re
import traceback

import numpy as np
import pyarrow as pa
import pytest

from foundation import errors
from foundation.errors import ArtifactRefusedError, FirstseenError, TemporaryError, UsageError
from pipelines.runners.failures import naming, typed_error

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, FirstseenError) and kind.__module__ == errors.__name__
]


def raised_in(work: str, error: BaseException) -> BaseException:
    """Returns what comes out of a piece of work that raises the error, with its traceback."""
    try:
        with naming(work):
            raise error
    except BaseException as found:
        return found


def as_text(error: BaseException) -> RuntimeError:
    """Returns the error as a portable runner hands it on: the text of a real traceback, with the step behind it."""
    text = "".join(traceback.format_exception(error)).rstrip("\n")
    return RuntimeError(f"Error processing instruction 7. {text} [while running 'Step-3']\n\nNote: imports …")


def test_there_are_errors_to_recognise() -> None:
    """The tests below would pass over an empty list."""
    assert {TemporaryError, ArtifactRefusedError, FirstseenError} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_of_the_project_is_recognised_in_a_traceback(kind: type[FirstseenError]) -> None:
    """Type, exit code and message come back from text alone: the name of the module is Python's, not spelled here."""
    found = typed_error(as_text(raised_in("chunk 3", kind("received a: expected b"))))
    assert type(found) is kind
    assert found.exit_code == kind.exit_code
    assert str(found) == "chunk 3: received a: expected b"


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_that_arrives_as_itself_loses_only_the_step(kind: type[FirstseenError]) -> None:
    """The local runner appends the step to the message, and nobody who reads it knows the steps."""
    found = typed_error(kind("disk full [while running 'WriteRun/WriteShards']"))
    assert (type(found), str(found)) == (kind, "disk full")


def test_work_that_ends_well_is_left_alone() -> None:
    """No error, no name."""
    with naming("chunk 3"):
        done = True
    assert done


def test_the_cause_of_a_named_error_is_kept() -> None:
    """Whoever mends a defect needs the line that it stands in."""
    cause = ZeroDivisionError("by nothing")
    found = raised_in("chunk 3", cause)
    assert (type(found), str(found)) == (RuntimeError, "chunk 3: ZeroDivisionError: by nothing")
    assert found.__cause__ is cause


def test_an_interruption_is_not_renamed() -> None:
    """Ctrl-C in a step must stay a KeyboardInterrupt, or the command would end as failed."""
    assert type(raised_in("chunk 3", KeyboardInterrupt())) is KeyboardInterrupt


class PickyError(Exception):
    """An error that cannot be made from one text, as many libraries have."""

    def __init__(self, code: int, reason: str):
        super().__init__(f"{code}: {reason}")


def test_an_error_of_any_signature_can_be_named() -> None:
    """What is raised in its place is made from text, and can be sent from a worker process to the launcher."""
    found = raised_in("chunk 3", PickyError(7, "lost"))
    assert str(pickle.loads(pickle.dumps(found))) == "chunk 3: PickyError: 7: lost"  # noqa: S301


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("hand_on", [as_text, lambda error: error])
def test_a_full_disk_may_be_tried_again(number: int, hand_on) -> None:
    """A temporary file that cannot be written is no defect: the scheduler may retry, and people read what to do."""
    found = typed_error(hand_on(raised_in("segment 2 of this index", OSError(number, os.strerror(number)))))
    assert (type(found), found.exit_code) == (TemporaryError, 75)
    assert "segment 2 of this index: OSError: " in str(found)
    assert str(found).endswith("; free some space, temporary files included, and run again")


class ResourceExhaustedError(Exception):
    """TensorFlow's error is told by its name: the import would cost seconds."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("failed bin allocation"),
        np._core._exceptions._ArrayMemoryError((10**6, 10**6), np.dtype(np.float32)),
        pa.ArrowMemoryError("malloc of size 64 failed"),
        ResourceExhaustedError("Graph execution error:\n\nOOM when allocating tensor\n [Op:__inference]"),
    ],
)
@pytest.mark.parametrize("hand_on", [as_text, lambda error: error])
def test_too_little_memory_names_the_flags_that_lower_it(error: Exception, hand_on) -> None:
    """It is no defect of the program: the exit code is that of a configuration that cannot work."""
    found = typed_error(hand_on(raised_in("chunk 3", error)))
    assert (type(found), found.exit_code) == (UsageError, 2)
    assert "\n" not in str(found)
    assert "lower --batch-size" in str(found)


def test_an_unknown_error_is_told_without_beams_advice() -> None:
    """What follows the error in the text of a runner says nothing of it."""
    found = typed_error(as_text(raised_in("chunk 3", KeyError("credit"))))
    assert (type(found), found.exit_code) == (FirstseenError, 1)
    assert str(found) == "the pipeline failed: RuntimeError: chunk 3: KeyError: 'credit'"


def test_memory_that_ends_outside_of_any_named_work_is_recognised_too() -> None:
    """An error without words, raised as itself."""
    assert type(typed_error(MemoryError())) is UsageError


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            'java.io.IOException: Cannot run program "firstseen-worker": error=2, No such file or directory',
            UsageError,
            r"cannot start workers \(No such file or directory\); expected firstseen-worker on its PATH",
        ),
        ("java.io.IOException: error=13, Permission denied", UsageError, r"cannot start workers \(Permission denied\)"),
        (
            "java.lang.IllegalStateException: Process died with exit code 3",
            UsageError,
            r"cannot start workers \(Process died with exit code 3\); expected .* --environment_config after `--`",
        ),
        (
            "java.lang.IllegalStateException: Process died with exit code 137",
            TemporaryError,
            r"killed by somebody or for want of memory; .*run again, .*--parallelism=N after `--`",
        ),
        ("java.lang.IllegalStateException: Process died with exit code 128", UsageError, "exit code 128"),
        (
            "java.lang.OutOfMemoryError: Metaspace. The metaspace out-of-memory error has occurred",
            UsageError,
            r"^Java needed .* \(Metaspace\); expected more .*-Xmx2g after `--`, .*taskmanager.memory .*cluster.sh$",
        ),
        ("java.lang.OutOfMemoryError", UsageError, r"^Java needed more memory than it is given \(OutOfMemoryError\);"),
        (
            "java.net.ConnectException: Connection refused",
            TemporaryError,
            r"the cluster lost the job \(Connection refused\); run again",
        ),
        (
            "org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Slot request timeout.",
            TemporaryError,
            "the cluster lost the job .Slot request timeout..; run again",
        ),
    ],
)
def test_what_a_cluster_lacks_is_told_in_words_of_this_project(text: str, kind: type, message: str) -> None:
    """A worker that cannot be started is for the user to mend; a cluster that is gone may come back."""
    error = typed_error(RuntimeError(f"Pipeline firstseen-1_2 failed in state FAILED: {text}"))
    assert type(error) is kind
    assert re.search(message, str(error))


def test_a_worker_process_that_was_killed_is_worth_another_try() -> None:
    """The local runner knows no reason: the channel to the process is closed."""
    found = typed_error(RuntimeError("Channel closed prematurely."))
    assert (type(found), found.exit_code) == (TemporaryError, 75)
    assert "a worker process ended" in str(found)
