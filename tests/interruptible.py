"""Lets programs that tests start be interrupted, also where whoever runs the tests has signals ignored."""

import signal


def interruptible() -> None:
    """For `preexec_fn`: what runs in the background has SIGINT ignored, with `nohup` SIGHUP too, and hands that on."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
