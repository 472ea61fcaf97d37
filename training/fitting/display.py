"""Names the events that a training shows while it runs; whoever listens shows or keeps them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.data.photo_cache import PhotoCache


class Display:
    """Shows nothing: a class that derives from this one defines the methods whose events it wants to hear of.

    A training is shown inside of it as a context manager, which is left however the training ends. Epochs and batches
    are counted from 1; losses are means over the epoch so far.
    """

    def show_photos(self, photos: "PhotoCache") -> None:
        """Shows how many photos there are to train on, and what was left out."""

    def start(self, directory: Path, *, epoch: int, epochs: int, batches: int, damage: str | None = None) -> None:
        """Shows after which epoch (0: none) a training of so many epochs of so many batches begins, and where."""

    def show_batch(self, epoch: int, batch: int, loss: float) -> None:
        """Shows that so many batches of an epoch are done."""

    def show_epoch(self, epoch: int, loss: float, val_loss: float) -> None:
        """Shows that an epoch has ended."""

    def end(self, *, epoch: int, best_epoch: int, val_loss: float) -> None:
        """Shows after which epoch the training ended, and which one was best."""

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *_: object) -> None:
        """Puts back what showing it has changed, such as a terminal."""
