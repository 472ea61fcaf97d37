"""Shows how far long work is: a bar with rate, rejects and time left, or a plain line now and then in a log."""

import os
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from firstseen.commands.streams import tell

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

PLAIN_LINE_EVERY_SECONDS = 30


class ProgressLine:
    """Rate, rejects and time left on stderr: a bar on a terminal, else one plain line every 30 s.

    The rate counts from when the work on photos begins: loading libraries and a model before that takes seconds, and
    would make a short job look slow.
    """

    def __init__(self, verb: str):
        self._verb = verb
        self._started = self._told = time.monotonic()
        self._bar: Progress | None = None
        self._listing: Progress | None = None

    def __enter__(self) -> "ProgressLine":
        return self

    def __exit__(self, *_: object) -> None:
        for bar in (self._listing, self._bar):
            if bar:
                bar.stop()

    def show_listed(self, listed: int) -> None:
        """Shows that so many photos are listed so far; how many there are is not known yet."""
        if can_draw():
            self._listing = self._listing or _make_listing_bar()
            self._listing.update(self._listing.task_ids[0], listed=listed)
        elif time.monotonic() - self._told >= PLAIN_LINE_EVERY_SECONDS:
            self._told = time.monotonic()
            tell(f"listing: {listed:,} photos so far")

    def show(self, listed: int, done: int, rejected: int) -> None:
        """Shows that `done` photos are usable and `rejected` are not, of all that were listed."""
        if not done + rejected:
            self._started = time.monotonic()
        if can_draw():
            self._show_bar(listed, done, rejected)
        elif time.monotonic() - self._told >= PLAIN_LINE_EVERY_SECONDS:
            self._told = time.monotonic()
            seen, plain = done + rejected, self._plain(listed, done, rejected)
            rate = round(self._rate(seen), 1)
            tell(plain, listed=listed, done=seen, rejected=rejected, photos_per_second=rate)

    def _plain(self, listed: int, done: int, rejected: int) -> str:
        rate = self._rate(done + rejected)
        left = time_left((listed - done - rejected) / rate) if rate else "time left unknown"
        return f"{self._verb}: {done + rejected:,} of {listed:,} photos, {rate:,.0f}/s, {rejected:,} rejected, {left}"

    def _show_bar(self, listed: int, done: int, rejected: int) -> None:
        if self._listing:
            self._listing.stop()  # it stays as it is, and the next one stands below it
        if self._bar is None:
            self._bar = _make_photos_bar()
            self._bar.start()
            self._bar.add_task(self._verb, total=listed, rejected=0, rate=0.0)
        rate = self._rate(done + rejected)
        self._bar.update(self._bar.task_ids[0], completed=done + rejected, rejected=rejected, rate=rate)
        if done + rejected >= listed:
            self._bar.stop()  # a finished bar stays as it is, and what is printed next stands below it

    def _rate(self, seen: int) -> float:
        return seen / (time.monotonic() - self._started) if seen else 0.0


def can_draw() -> bool:
    """Returns whether stderr is a terminal that can move its cursor: a log and a dumb terminal get plain lines."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def time_left(seconds: float) -> str:
    """Returns how long it will still take, in hours, minutes and seconds."""
    return f"{timedelta(seconds=round(seconds))} left"


def _make_listing_bar() -> "Progress":
    from rich.progress import TextColumn

    bar = make_bar(TextColumn("{task.fields[listed]:,} photos"))
    bar.start()
    bar.add_task("listing", total=None, listed=0)
    return bar


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
