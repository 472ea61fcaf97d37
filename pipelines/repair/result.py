"""Says what a repair found, what it did about it, and what is left out."""

from dataclasses import dataclass, field

from foundation.store.diagnosis import Damage
from foundation.store.snapshots import Snapshot
from pipelines.repair.differences import Missing


@dataclass
class RepairResult:
    """What was found damaged, what was done about it, one line each, and the snapshot that is live now.

    `lost` are the photos whose contents nothing held any more, `still_lost` those of them that could not be read again;
    `waiting` are the runs that the next index takes up.
    """

    damages: list[Damage]
    done: list[str] = field(default_factory=list)
    lost: list[Missing] = field(default_factory=list)
    still_lost: list[Missing] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    snapshot: Snapshot | None = None
