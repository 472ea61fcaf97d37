"""Goes on with a run that was cut off: finds it, and sees that nobody is still at it."""

import os
import socket
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from foundation.errors import FirstseenError, TemporaryError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.runs import EMBEDDINGS, RUN_DESCRIPTION, Run, run_directory

BEGUN = "begun.json"


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A run that has begun: its plan, and the process that was the first at it."""

    __pydantic_config__: ClassVar = artifact.STRICT

    run: Run
    host: str
    process: int
    started: str
    contract_version: int = 1


def find_unfinished(store: Store, planned: Run) -> Run | None:
    """Returns the run of the same plan that was cut off last, to go on with it.

    Raises TemporaryError if another process of this machine is at it.
    """
    for run_id in reversed(_unfinished(store, planned.encoder_id)):
        begun = _read(store, planned.encoder_id, run_id)
        if begun and _is_same(begun.run, planned):
            require_nobody_at_work(begun)
            return begun.run
    return None


def begin_run(store: Store, run: Run) -> None:
    """Writes down that a run begins, unless it has begun before."""
    process = os.getpid()
    begun = Begun(run=run, host=socket.gethostname(), process=process, started=_started(process))
    store.create(f"{run.directory}/{BEGUN}", artifact.to_json(begun))


def require_nobody_at_work(begun: Begun) -> None:
    """Raises TemporaryError while the process that began a run is alive, as far as this machine can tell."""
    here = begun.host == socket.gethostname()
    # A process that ended long ago may have left its number to another one, which started at another time.
    if here and begun.process != os.getpid() and _started(begun.process) == begun.started:
        raise TemporaryError(
            f"process {begun.process} is encoding {begun.run.archive} into this store since {begun.run.created_at}; "
            "expected one at a time: run again when it is done"
        )


def _unfinished(store: Store, encoder_id: str) -> list[str]:
    names = store.directories(f"{EMBEDDINGS}/{encoder_id}")
    paths = {name: run_directory(encoder_id, name) for name in names}
    return [
        name
        for name, path in paths.items()
        if store.exists(f"{path}/{BEGUN}") and not store.exists(f"{path}/{RUN_DESCRIPTION}")
    ]


def _read(store: Store, encoder_id: str, run_id: str) -> Begun | None:
    try:
        return artifact.read(store, f"{run_directory(encoder_id, run_id)}/{BEGUN}", Begun)[0]
    except FirstseenError:
        # A killed process may have left anything there; what it did is done again.
        return None


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


def _started(process: int) -> str:
    """Returns when a process started, as Linux counts it; nothing where that cannot be told, or it is gone."""
    try:
        # The second field is the program's name in brackets, and may hold spaces itself.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
