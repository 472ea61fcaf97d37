"""Shares one set of decoder processes among all that decode in this process, so that there is one per core in all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from foundation.photos.decoder_processes import DecoderProcesses

_changing = threading.Lock()
_users = 0
_shared: DecoderProcesses | None = None


@contextmanager
def shared_decoders() -> Iterator[DecoderProcesses]:
    """Yields the processes that this process shares; whoever leaves last ends them."""
    # A Beam worker sets up a step once for each of its threads, and a decoder process takes 60 MB beside its photo.
    global _users, _shared
    with _changing:
        _shared = _shared or DecoderProcesses()
        decoders, _users = _shared, _users + 1
    try:
        yield decoders
    finally:
        with _changing:
            _users -= 1
            if not _users:
                _shared = None
                decoders.close()
