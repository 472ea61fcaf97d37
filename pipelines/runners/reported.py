"""Hands errors that no retry mends from workers to the launcher, by a file in the store.

Runners of clusters try again whatever a worker raises: Flink would start a job with a damaged encoder five times over,
for a minute, before it gave up.
"""

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from foundation import errors
from foundation.errors import FirstseenError, TemporaryError, UsageError
from foundation.store.files import Store
from pipelines.runners.names import LOCAL

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ErrorReport:
    """Where the first error of a job is written down that would come again with every retry; pickles by its path."""

    store: Store
    path: str
    work: str

    @classmethod
    def beside(cls, store: Store, work: str) -> "ErrorReport":
        """Returns the report of a job by a file of the store that is its alone, there from its beginning to its end."""
        return cls(store, f"{work.rpartition('.')[0]}-error.json", work)

    def sees_work(self) -> bool:
        """Returns whether this machine sees the job's file, and logs it if not; raises TemporaryError.

        A folder of the same name on another machine is another store, or a copy: nothing is to be written there. No
        retry brings the store to this machine, so that nothing is raised; the launcher finds what was left undone, see
        `unshared`.
        """
        is_there = self.store.is_there() and self.store.exists(self.work)
        if not is_there:
            _log.error("%s has no %s in store %s", socket.gethostname(), self.work, self.store.uri)
        return is_there

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Writes an error of the project down instead of raising it; the caller then goes on as if its work was done.

        A TemporaryError is raised, since a retry may mend it, and so is whatever is none of the project's.
        """
        try:
            yield
        except TemporaryError:
            raise
        except FirstseenError as error:
            if not self.sees_work():
                return
            said = {"type": type(error).__name__, "message": str(error)}
            try:
                # Of several workers, the one that comes first is heard: the others most likely met the same.
                self.store.create(self.path, json.dumps(said).encode())
            except FirstseenError:
                # Where nothing can be written, what went wrong first is what has to be told.
                raise error from None

    def is_there(self) -> bool:
        """Returns whether an error was reported: what is left of the work is for nothing then."""
        return self.store.exists(self.path)

    def settle(self) -> None:
        """Removes the report, and raises the error that it names; does nothing without one."""
        if not self.is_there():
            return
        data = self.store.read(self.path)
        with suppress(FirstseenError):
            self.store.delete([self.path])
        raise _read(data)


def unshared(report: ErrorReport, undone: str, *, runner: str) -> UsageError:
    """Returns the error of a job that came to its end, reported nothing, and left something undone in the store."""
    place = report.store.local_root or report.store.uri
    # The store may have been out of reach for a moment, and the processes of one machine share it in any case.
    shared = (
        "; if that comes again, maybe not all workers see the store: it has to be one that the launcher and all "
        "workers reach by this name, a bucket or a folder that all machines share"
    )
    return UsageError(
        f"the job ended with {undone}, and no worker reported why; expected {report.work} to be seen in store {place} "
        f"until the end: run again{'' if runner == LOCAL else shared}"
    )


def _read(data: bytes) -> FirstseenError:
    """Returns the error that a report names."""
    try:
        said = json.loads(data)
        return getattr(errors, said["type"], FirstseenError)(said["message"])
    except (ValueError, KeyError, TypeError):
        return FirstseenError(f"a worker failed, and its report cannot be read: {data[:200]!r}; run again")
