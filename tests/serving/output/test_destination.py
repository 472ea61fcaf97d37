"""Where answers go: UTF-8 for data, whatever the terminal can show for people, and an error that says where."""

import contextlib
import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.output import destination, page
from serving.output.destination import open_binary, open_text
from serving.output.formats import FORMATS, write_answers
from tests.builders import match
from tests.conftest import REPOSITORY

# Answers are made from the contract alone: the builders would import pipelines, which takes seconds.
WRITE = """
import sys
from serving.answers import Answer
from serving.output.formats import write_answers
answer = Answer(query="写真 é.jpg", status="rejected", reason="café", snapshot=1, encoder="e")
try:
    write_answers([[answer]] * int(sys.argv[2]), name=sys.argv[1], output=None)
except OSError as error:
    print(error.filename, error.strerror, sep=": ", file=sys.stderr)
    sys.exit(75)
"""


def write(name: str, *, times: int = 1, stdout=subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess:
    """Writes answers to the standard output of a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", WRITE, name, str(times)],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


@pytest.mark.parametrize(("name", "encoding"), [("json", "ascii"), ("jsonl", "latin-1"), ("csv", "ascii")])
def test_data_is_utf8_whatever_the_locale_says(name: str, encoding: str) -> None:
    """A program that reads CSV or JSON expects UTF-8, and no letter is lost."""
    done = write(name, PYTHONIOENCODING=encoding)
    assert done.stderr == b""
    assert "写真 é.jpg" in done.stdout.decode("utf-8")


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", b"?? ?.jpg"), ("latin-1", b"?? \xe9.jpg")])
def test_the_table_shows_what_the_terminal_can(encoding: str, shown: bytes) -> None:
    """A sign stands for every letter that it does not have; there is no traceback."""
    done = write("table", PYTHONIOENCODING=encoding)
    assert done.stderr == b""
    assert shown in done.stdout


@pytest.mark.parametrize(("name", "times"), [("table", 1), ("csv", 1), ("jsonl", 10_000)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_is_named(name: str, times: int, unbuffered: str) -> None:
    """Whether the first write fails or the last, once: the end of the process does not try again."""
    with open("/dev/full", "w") as full:
        done = write(name, times=times, stdout=full, PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (75, b"standard output: No space left on device\n")


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_is_named_by_the_output(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by the name that the file has while it is written; the old answers stay."""
    (tmp_path / "answers").write_text("old")
    for writer in (destination, page):
        monkeypatch.setattr(writer, "finished_file", lambda path: contextlib.nullcontext(Path("/dev/full")))
    with pytest.raises(OSError, match=r"No space left on device: .*/answers'") as caught:
        write_answers([[match()]], name=name, output=tmp_path / "answers")
    assert caught.value.filename == str(tmp_path / "answers")
    assert (tmp_path / "answers").read_text() == "old"


def test_a_folder_without_rights_is_named_by_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user never chose the name of the moment."""
    unwritable = contextlib.nullcontext(tmp_path / "none" / ".answers.0123")
    monkeypatch.setattr(destination, "finished_file", lambda path: unwritable)
    with pytest.raises(FileNotFoundError) as caught, open_binary(tmp_path / "answers"):
        pass
    assert caught.value.filename == str(tmp_path / "answers")


def test_an_error_of_the_lookup_keeps_its_name(tmp_path: Path) -> None:
    """Only writing is blamed on the output."""

    def answers() -> Iterator:
        yield [match()]
        raise OSError(28, "No space left on device", "the model")

    for output in (None, tmp_path / "answers"):
        with pytest.raises(OSError, match="the model"):
            write_answers(answers(), name="csv", output=output)


def test_a_stand_in_for_standard_output_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook puts a stream of its own there, which has no descriptor."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stdout", shown)
    with open_text(None) as file:
        file.write("写真\n")
    assert shown.getvalue() == "写真\n"


def test_standard_output_keeps_its_order(run_python: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What was printed before stands before the answers, what is printed later behind; nothing is closed."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # It would hide what is held back.
    code = """
from serving.output.destination import open_text
print("before")
with open_text(None) as file:
    file.write("answers\\n")
print("after")
"""
    assert run_python(code) == "before\nanswers\nafter\n"


def test_a_terminal_shows_a_line_at_once() -> None:
    """Answers of a slow lookup are not held back until there are many; a pipe gets whole blocks."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)  # A line that is held back is an error here, and nothing to wait for.
    with open(theirs, "wb", buffering=0) as terminal, destination._text(io.BufferedWriter(terminal)) as file:
        file.write("first\n")
        assert os.read(ours, 100) == b"first\r\n"
    os.close(ours)
