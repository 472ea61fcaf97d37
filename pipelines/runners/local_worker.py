"""Runs a worker process of the local runner, which ends when its launcher does: Beam's own would wait for ever."""

import os
import sys
import threading
import time

from apache_beam.runners.worker import sdk_worker_main

LOOK_EVERY_SECONDS = 0.5


def end_with(launcher: int) -> None:
    """Leaves the process once its parent is not the launcher any more."""
    # A process whose parent has died is given another one. The worker's main thread waits in gRPC and hears of nothing,
    # which is why another one looks, and why it leaves without a tidy end.
    while os.getppid() == launcher:
        time.sleep(LOOK_EVERY_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    sdk_worker_main.main(sys.argv)
