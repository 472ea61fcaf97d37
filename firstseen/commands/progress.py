"""Long work on a terminal: a bar with rate, rejects and time left; without a terminal, a plain line now and then."""

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

PLAIN_LINE_EVERY_SECONDS = 30


class ProgressLine:
    """Rate, rejects and time left on stderr: a bar on a terminal, else one plain line every 30 s."""

    def __init__(self, verb: str):
        self._verb = verb
        self._started = self._told = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, listed: int, done: int, rejected: int) -> None:
        """Shows that `done` photos are usable and `rejected` are not, of all that were listed."""
        if sys.stderr.isatty():
            self._show_bar(listed, done, rejected)
        elif time.monotonic() - self._told >= PLAIN_LINE_EVERY_SECONDS:
            self._told = time.monotonic()
            print(self._plain(listed, done, rejected), file=sys.stderr, flush=True)

    def _plain(self, listed: int, done: int, rejected: int) -> str:
        seconds = time.monotonic() - self._started
        rate = (done + rejected) / seconds
        left = f"{(listed - done - rejected) / rate:,.0f} s left" if rate else "time left unknown"
        return f"{self._verb}: {done + rejected:,} of {listed:,} photos, {rate:,.0f}/s, {rejected:,} rejected, {left}"

    def _show_bar(self, listed: int, done: int, rejected: int) -> None:
        if self._bar is None:
            self._bar = _make_photos_bar()
            self._bar.start()
            self._bar.add_task(self._verb, total=listed, rejected=0, rate=0.0)
        rate = (done + rejected) / (time.monotonic() - self._started)
        self._bar.update(self._bar.task_ids[0], completed=done + rejected, rejected=rejected, rate=rate)
        if done + rejected >= listed:
            self._bar.stop()  # a finished bar stays as it is, and what is printed next stands below it


def _make_photos_bar() -> "Progress":
    from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn

    return make_bar(
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:,.0f} photos/s"),
        TextColumn("{task.fields[rejected]:,} rejected"),
        TimeRemainingColumn(),
    )


def make_bar(*columns: "ProgressColumn", width: int = 40) -> "Progress":
    """Returns a bar on stderr with its description before and the columns behind; rich is loaded only for one."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(TextColumn("{task.description}"), BarColumn(width), *columns, console=Console(stderr=True))
