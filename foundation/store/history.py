"""Reads the newest runs of each encoder: what finished, what never did, and what cannot be read.

On a bucket each look costs a request, and a store of years holds thousands of runs: only the newest are looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundation.store.chains import FinishedRun, look_at_runs
from foundation.store.files import Store
from foundation.store.runs import EMBEDDINGS

RUNS_READ = 50


@dataclass(frozen=True)
class History:
    """The newest runs of the encoders of a store, newest first.

    `names` are all runs by encoder, oldest first; `runs` those that were read; `unfinished` have no run.json: they are
    being written, or were interrupted. `damaged` says why a run cannot be read, by its id; `unread` are older runs.
    """

    names: Mapping[str, Sequence[str]]
    runs: Sequence[FinishedRun]
    unfinished: Sequence[str]
    damaged: Mapping[str, str]
    unread: Sequence[str]


def read_history(store: Store, encoders: Sequence[str], *, limit: int = RUNS_READ) -> History:
    """Returns the newest runs of these encoders: one request each to list them, and two for each run that is read."""
    names = {encoder_id: store.directories(f"{EMBEDDINGS}/{encoder_id}") for encoder_id in encoders}
    # A name begins with the second in which its run began.
    newest = sorted(((name, one) for one in encoders for name in sorted(names[one])[-limit:]), reverse=True)
    found = look_at_runs(store, [(encoder_id, name) for name, encoder_id in newest])
    read = [name for name, _ in newest]
    return History(
        names=names,
        runs=[one for one in found if isinstance(one, FinishedRun)],
        unfinished=[name for name, one in zip(read, found, strict=True) if one is None],
        damaged={name: one for name, one in zip(read, found, strict=True) if isinstance(one, str)},
        unread=[name for one in encoders for name in sorted(names[one])[:-limit]],
    )
