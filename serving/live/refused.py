"""Remembers which snapshots were refused and why, until their files change."""

from dataclasses import dataclass
from threading import Lock

from foundation.errors import FirstseenError
from foundation.store.encoders import encoder_directory
from foundation.store.files import Store, StoredFile
from foundation.store.segments import segment_directory
from foundation.store.snapshots import SNAPSHOTS, read_snapshot, snapshot_path


@dataclass(frozen=True)
class _Refused:
    reason: str
    files: frozenset[StoredFile]


class RefusedSnapshots:
    """The snapshots of a store that do not answer; threads may share them."""

    def __init__(self, store: Store):
        self._store = store
        self._refused: dict[int, _Refused] = {}
        self._changing = Lock()

    @property
    def reasons(self) -> dict[int, str]:
        """Why each of them was refused, by its number."""
        with self._changing:
            return {number: one.reason for number, one in sorted(self._refused.items())}

    def add(self, number: int, reason: str, files: frozenset[StoredFile]) -> bool:
        """Refuses a snapshot, whose `files` were those; returns whether it was not refused for that before."""
        with self._changing:
            before = self._refused.get(number)
            self._refused[number] = _Refused(reason, files)
        return before is None or before.reason != reason

    def forget(self, *, before: int | None = None) -> None:
        """Forgets them, all or those of lower numbers."""
        with self._changing:
            self._refused = {number: one for number, one in self._refused.items() if before and number >= before}

    def forget_changed(self) -> None:
        """Forgets those of which a file was changed, added or removed: what was damaged may be restored."""
        for number, one in list(self._refused.items()):
            if files_of(self._store, number) != one.files:
                with self._changing:
                    self._refused.pop(number, None)


def reason_of(error: Exception) -> str:
    """Returns what an error says, in one line; of one that is not the project's with its kind."""
    return str(error) if isinstance(error, FirstseenError) else f"{type(error).__name__}: {error}"


def files_of(store: Store, number: int) -> frozenset[StoredFile]:
    """Returns the files that a snapshot is made of, with sizes and times; without its segments if it cannot be read."""
    folders = []
    try:
        snapshot = read_snapshot(store, number)
        folders = [encoder_directory(snapshot.encoder_id)]
        folders += [segment_directory(one.segment_id) for one in snapshot.segments]
    except FirstseenError:
        pass
    own = [file for file in store.walk(SNAPSHOTS) if file.path == snapshot_path(number)]
    return frozenset([*own, *(file for folder in folders for file in store.walk(folder))])
