"""CONTRACT: begun.json, which says of a run that is not finished what it was to be, and which process began it.

It is written before the first file of a run, and removed after its run.json. Whoever goes on with a run that was cut
off writes another one beside it, begun-NAME.json.
"""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from foundation.errors import FirstseenError
from foundation.store import artifact
from foundation.store.files import Store
from foundation.store.runs import EMBEDDINGS, Run, run_directory, run_path

BEGUN = "begun.json"

Work = TypeVar("Work", bound="AtWork")


@dataclass(frozen=True, kw_only=True)
class AtWork:
    """What tells a process that is at some work: its machine, its number there, and when it started, as that counts."""

    host: str
    process: int
    started: str

    @classmethod
    def here(cls: type[Work], **work: Any) -> Work:
        """Returns that this process is at some work."""
        process = os.getpid()
        return cls(host=socket.gethostname(), process=process, started=started_at(process), **work)


@dataclass(frozen=True, kw_only=True)
class Begun(AtWork):
    """A run that has begun: its plan, and the process that was the last to begin or to go on with it."""

    __pydantic_config__: ClassVar = artifact.STRICT

    run: Run
    contract_version: int = 1


def begin_run(store: Store, run: Run) -> str:
    """Writes down that this process begins a run, or goes on with it; returns where: begun.json if it is the first."""
    path, begun = f"{run.directory}/{BEGUN}", artifact.to_json(Begun.here(run=run))
    if not store.create(path, begun):
        path = f"{run.directory}/begun-{artifact.fresh_name()}.json"
        store.create(path, begun)
    return path


def begun_paths(store: Store, directory: str) -> list[str]:
    """Returns where it is written who began a run, and who went on with it, oldest first."""
    later = [name for name in store.files(directory) if name.startswith("begun-")]
    return [f"{directory}/{name}" for name in (BEGUN, *later)]


def unfinished_runs(store: Store, encoder_id: str) -> list[str]:
    """Returns the ids of the runs of an encoder that began and are not finished, oldest first."""
    return [
        name
        for name in store.directories(f"{EMBEDDINGS}/{encoder_id}")
        if store.exists(f"{run_directory(encoder_id, name)}/{BEGUN}") and not store.exists(run_path(encoder_id, name))
    ]


def read_begun(store: Store, encoder_id: str, run_id: str) -> Begun | None:
    """Returns what is known of an unfinished run, or None where nothing can be read.

    It names the process that is at the run, whatever the clock said when that began, or else the last one.
    """
    found = []
    for path in reversed(begun_paths(store, run_directory(encoder_id, run_id))):
        # A killed process may have left anything there; what it did is done again.
        with suppress(FirstseenError):
            found.append(artifact.read(store, path, Begun)[0])
    others = [one for one in found if one.process != os.getpid() and is_at_work(one)]
    return next(iter([*others, *found]), None)


def is_at_work(begun: AtWork) -> bool:
    """Whether the process that was last at some work is alive, as far as this machine can tell."""
    if begun.host != socket.gethostname():
        return False
    # A process that ended long ago may have left its number to another one, which started at another time. Where no
    # system says when, the number alone has to do.
    return started_at(begun.process) == begun.started and (bool(begun.started) or _is_alive(begun.process))


def _is_alive(process: int) -> bool:
    """Whether any process has this number."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def started_at(process: int) -> str:
    """Returns when a process started, as Linux counts it; nothing where that cannot be told, or it is gone."""
    try:
        # The second field is the program's name in brackets, and may hold spaces itself.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
