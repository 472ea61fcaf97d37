"""Ends a worker when the process that started it does: Beam's own would wait for ever."""

import os
import threading
import time
from collections.abc import Callable

LOOK_EVERY_SECONDS = 0.5


def end_with_parent(*, tidy_up: Callable[[], None] = lambda: None) -> None:
    """From now on, this process leaves once the one that started it is not its parent any more."""
    threading.Thread(target=end_with, args=(os.getppid(),), kwargs={"tidy_up": tidy_up}, daemon=True).start()


def end_with(parent: int, *, tidy_up: Callable[[], None] = lambda: None) -> None:
    """Leaves the process once its parent is another one than `parent`."""
    # A process whose parent has died is given another one. The worker's main thread waits in gRPC and hears of nothing,
    # which is why another one looks, and why it leaves without a tidy end. Linux can send a signal instead, but does so
    # when the thread of the parent ends, and a task manager's threads come and go.
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_SECONDS)
    tidy_up()
    os._exit(1)
