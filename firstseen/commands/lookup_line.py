"""Shows how far a lookup by a job is: a bar with what it is at, or a plain line now and then in a log."""

import time
from typing import TYPE_CHECKING

from firstseen.commands.progress import PLAIN_LINE_EVERY_SECONDS, ProgressLine, can_draw, make_bar, time_left
from firstseen.commands.streams import tell

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from pipelines.lookup.progress import Progress


class LookupLine:
    """Queries that are listed, then answered, and the stage that the job is at, on stderr.

    The rate counts what this process answers: a job that goes on has answers already.
    """

    def __init__(self) -> None:
        self._listing = ProgressLine("looking up")
        self._bar: Bar | None = None
        self._first: tuple[float, int] | None = None
        self._told = time.monotonic()

    def __enter__(self) -> "LookupLine":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def show_listed(self, listed: int) -> None:
        """Shows that so many queries are listed so far."""
        self._listing.show_listed(listed)

    def show(self, progress: "Progress") -> None:
        """Shows how far the job is."""
        now = time.monotonic()
        self._first = self._first or (now, progress.answered)
        if can_draw():
            self._draw(progress)
        elif now - self._told >= PLAIN_LINE_EVERY_SECONDS:
            self._told = now
            # The first call may come long after the listing began, and knows no rate.
            passed = now - self._first[0]
            rate = (progress.answered - self._first[1]) / passed if passed else 0.0
            left = time_left((progress.queries - progress.answered) / rate) if rate else "time left unknown"
            words = f"looking up: {progress.answered:,} of {progress.queries:,} queries, {rate:,.1f}/s, {left}"
            tell(f"{words}; {progress.stage}", listed=progress.queries, done=progress.answered)

    def stop(self) -> None:
        """Leaves the terminal to what follows."""
        self._listing.__exit__()
        if self._bar:
            self._bar.stop()

    def _draw(self, progress: "Progress") -> None:
        from rich.progress import MofNCompleteColumn, TimeRemainingColumn

        self._listing.__exit__()
        if self._bar is None:
            self._bar = make_bar(MofNCompleteColumn(), TimeRemainingColumn(), width=20)
            self._bar.start()
            self._bar.add_task("looking up", total=progress.queries)
        words = f"looking up, {progress.stage}"
        self._bar.update(self._bar.task_ids[0], completed=progress.answered, description=words)
