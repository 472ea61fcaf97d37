"""Remembers for one lookup which files were held against their digests: a process need not read what another has read.

The next lookup by a job reads everything anew: what it answers is kept, and a disk may rot.
"""

import os
import tempfile
from pathlib import Path

from foundation.store.checked import CheckedFiles


def checked_files(lookup_id: str) -> CheckedFiles:
    """Returns what checks files once on this machine for a lookup; the next one reads all of them anew."""
    # Workers may have no home, and files that were copied from a bucket are young.
    return CheckedFiles(_folder, scope=lookup_id, settled_seconds=0)


def _folder() -> Path:
    return Path(tempfile.gettempdir(), f"firstseen-verified-{os.getuid()}")
