"""Goes on with a run that was cut off: finds it, and sees that nobody is still at it."""

import os
import socket
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from foundation.errors import TemporaryError
from foundation.store.files import Store
from foundation.store.gc import GRACE_HOURS
from foundation.store.runs import Run
from foundation.store.unfinished import Begun, is_at_work, read_begun, unfinished_runs


def find_unfinished(store: Store, planned: Run) -> Run | None:
    """Returns the run of the same plan that was cut off last, to go on with it.

    Whether a process of another machine is still at its run cannot be asked: such a run is passed over until nothing
    was written into it for as long as `firstseen gc` leaves it alone. Raises TemporaryError if another process of this
    machine is at it.
    """
    for run_id in reversed(unfinished_runs(store, planned.encoder_id)):
        begun = read_begun(store, planned.encoder_id, run_id)
        if begun and _is_same(begun.run, planned):
            require_nobody_at_work(begun)
            if begun.host == socket.gethostname() or not _is_young(store, begun.run):
                return begun.run
    return None


def _is_young(store: Store, run: Run) -> bool:
    """Whether a file of a run was written so lately that somebody may be at it."""
    young = datetime.now(timezone.utc) - timedelta(hours=GRACE_HOURS)
    return any(file.modified_at >= young for file in store.walk(run.directory))


def require_nobody_at_work(begun: Begun) -> None:
    """Raises TemporaryError while another process, the last that was at a run, is alive."""
    if begun.process != os.getpid() and is_at_work(begun):
        raise TemporaryError(
            f"process {begun.process} is encoding {begun.run.archive} into this store since {begun.run.created_at}; "
            "expected one at a time: run again when it is done"
        )


def _is_same(begun: Run, planned: Run) -> bool:
    """Whether two plans differ in nothing but their names and times, and the catalog."""
    as_named = replace(
        begun,
        run_id=planned.run_id,
        created_at=planned.created_at,
        versions=planned.versions,
        photos_in_catalog=planned.photos_in_catalog,
    )
    return as_named == planned
