"""Names what a job tells whoever started it, while it goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from foundation.store.runs import Run


def ignore(*_: Any) -> None:
    """Does nothing with what is told."""


@dataclass(frozen=True)
class Listeners:
    """Functions that a job calls: all of them may be left out.

    `on_listed` gets the photos listed so far, `on_begin` the run once it is known, `on_progress` (photos to read, those
    done, those rejected).
    """

    on_listed: Callable[[int], None] = ignore
    on_begin: Callable[[Run], None] = ignore
    on_progress: Callable[[int, int, int], None] = ignore
