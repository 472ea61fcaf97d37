"""Opens a group of a snapshot's segments, as many as fit into one machine's memory."""

from collections.abc import Sequence

import numpy as np

from foundation.store.files import Store
from serving.batch.described import DescribedSnapshot


class OpenSegments:
    """Some segments of a snapshot, ready to search; a context manager, since a bucket's files are copied locally.

    `numbers` are their places in the snapshot's list, `gone` the contents that no photo has any more (`find_gone`).
    Raises ArtifactRefusedError if any file differs from its digest, or a retraction or an ignored photo is damaged.
    """

    def __init__(self, store: Store, described: DescribedSnapshot, numbers: Sequence[int], *, gone: np.ndarray):
        raise NotImplementedError

    def refresh(self) -> None:
        """Hides what was retracted or ignored meanwhile, if the last look was some time ago."""
        raise NotImplementedError

    def __enter__(self) -> "OpenSegments":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Removes what was copied from a bucket."""
        raise NotImplementedError


def find_gone(store: Store, described: DescribedSnapshot) -> np.ndarray:
    """Returns the contents of a snapshot that some photo went from and none has any more, S32 ascending.

    Found once for a job, and handed to all groups (`np.save`): what one segment holds, others may say to be gone.
    Opens the tables of the segments alone, and nothing at all if no segment says that a photo went.
    """
    raise NotImplementedError
