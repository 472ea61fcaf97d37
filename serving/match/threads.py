"""Starts the threads in which queries are decoded and proved, and keeps products of matrices out of further ones."""

from threadpoolctl import threadpool_limits

from foundation.photos.decode_ahead import start_decoders


class MatchThreads:
    """One thread per core, `pool`, and none beside them; a context manager."""

    def __init__(self) -> None:
        self.pool = start_decoders()
        # Products are of some hundred descriptors each: OpenBLAS would share them among threads that wait longer for
        # each other than they compute.
        self._blas = threadpool_limits(limits=1, user_api="blas")

    def close(self) -> None:
        """Ends the threads; queries that nobody waits for are dropped."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self._blas.restore_original_limits()

    def __enter__(self) -> "MatchThreads":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
