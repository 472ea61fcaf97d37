"""Shows how far a training is: a bar with both losses and the time left, or a plain line per epoch in a log."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from firstseen.commands.progress import PLAIN_LINE_EVERY_SECONDS, can_draw, time_left
from firstseen.commands.streams import tell
from foundation.wording import number_of
from training.fitting.display import Display

if TYPE_CHECKING:
    from rich.progress import Progress

    from training.data.photo_cache import PhotoCache


class EpochLine(Display):
    """Losses, seconds per epoch and time left of one training on stderr: a bar on a terminal, else plain lines.

    A plain line comes after each epoch, and every 30 s in a longer one. The time left is that until the last epoch
    at the speed since the first batch, and from the second epoch on since that began: both the first batch and
    the first validation wait for the model to be compiled. A training that stops early ends sooner.
    """

    def __init__(self):
        self._bar: Progress | None = None

    def __enter__(self) -> "EpochLine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def show_photos(self, photos: "PhotoCache") -> None:
        """Says how many photos there are to train on, and what was left out."""
        tell(
            f"{number_of(photos.photos, 'photo', 'photos')} of {photos.listed:,} listed; left out: "
            f"{number_of(photos.duplicates, 'exact duplicate', 'exact duplicates')}, "
            f"{sum(photos.rejects.values()):,} that cannot be used"
        )
        if photos.rejects_file:
            tell(f"  which, and why: {photos.rejects_file}")

    def start(self, directory: Path, *, epoch: int, epochs: int, batches: int, damage: str | None = None) -> None:
        """Says after which epoch (0: none) a training of so many epochs of so many batches begins, and where."""
        self._epochs, self._batches = epochs, batches
        self._val_loss: float | None = None
        self._in_first_epoch = True
        self._timed_from: tuple[int, float] | None = None
        self._told = self._epoch_began = time.monotonic()
        if damage:
            tell(f"the checkpoint in {directory} is damaged ({damage}): training begins anew")
        if epoch:
            tell(f"resuming after epoch {epoch} of {epochs}, from {directory}")
        else:
            tell(f"training for {number_of(epochs, 'epoch', 'epochs')}; interrupted, it resumes from {directory}")
        if can_draw():
            self._bar = _make_bar()
            self._bar.start()
            self._bar.add_task(
                f"epoch {epoch + 1}/{epochs}", total=epochs * batches, completed=epoch * batches, loss="", left=""
            )

    def show_batch(self, epoch: int, batch: int, loss: float) -> None:
        """Shows that so many batches of an epoch are done, both counted from 1, with its loss so far."""
        self._count((epoch - 1) * self._batches + batch)
        if self._bar:
            self._show_bar(self._bar, epoch, loss)
        elif time.monotonic() - self._told >= PLAIN_LINE_EVERY_SECONDS:
            self._say(f"epoch {epoch} of {self._epochs}: batch {batch:,} of {self._batches:,}, loss {loss:.5f}")

    def show_epoch(self, epoch: int, loss: float, val_loss: float) -> None:
        """Shows that an epoch has ended, with its losses."""
        if not self._in_first_epoch:
            self._count(epoch * self._batches)
        self._val_loss = val_loss
        seconds = time.monotonic() - self._epoch_began
        if self._bar:
            self._show_bar(self._bar, epoch, loss)
        else:
            losses = f"loss {loss:.5f}, validation loss {val_loss:.5f}"
            self._say(f"epoch {epoch} of {self._epochs}: {losses}, {seconds:.1f} s")
        self._epoch_began = time.monotonic()
        if self._in_first_epoch:
            self._in_first_epoch = False
            self._timed_from = (self._done, self._epoch_began)

    def end(self, *, epoch: int, best_epoch: int, val_loss: float) -> None:
        """Says which of the epochs was best, after the last one."""
        if self._bar:
            self._bar.stop()  # it stays as it is, and what is printed next stands below it
        early = "" if epoch == self._epochs else f" of {self._epochs}, since none was better"
        tell(f"trained until epoch {epoch}{early}; best: epoch {best_epoch}, validation loss {val_loss:.5f}")

    def _count(self, batches: int) -> None:
        self._done, self._done_at = batches, time.monotonic()
        if self._timed_from is None:
            self._timed_from = (batches, self._done_at)

    def _left(self) -> str:
        batches, since = self._timed_from or (self._done, self._done_at)
        if self._done == batches:
            return "time left unknown"
        seconds = (self._done_at - since) / (self._done - batches) * (self._epochs * self._batches - self._done)
        return time_left(seconds)

    def _say(self, line: str) -> None:
        self._told = time.monotonic()
        tell(f"{line}, {self._left()}")

    def _show_bar(self, bar: "Progress", epoch: int, loss: float) -> None:
        losses = f"loss {loss:.5f}" + ("" if self._val_loss is None else f" validation {self._val_loss:.5f}")
        bar.update(
            bar.task_ids[0],
            completed=self._done,
            description=f"epoch {epoch}/{self._epochs}",
            loss=losses,
            left=self._left(),
        )


def _make_bar() -> "Progress":
    from rich.progress import TextColumn

    from firstseen.commands.progress import make_bar

    return make_bar(TextColumn("{task.fields[loss]}"), TextColumn("{task.fields[left]}"), width=20)
