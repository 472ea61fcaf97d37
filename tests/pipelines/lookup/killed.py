"""Looks photos up by a job with stand-ins, in a process of its own that is killed where its environment says.

    python -m tests.pipelines.lookup.killed STORE OUTPUT PHOTO …

As in `tests.faults.killed`, what is watched is every file that is created, uploaded or deleted in the store.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from firstseen.commands.failures import report
from foundation.files import finished_file
from foundation.store.files import Store
from pipelines.lookup.job import look_up
from pipelines.lookup.plan import LookupOptions
from serving.match.options import MatchOptions
from serving.queries import Listed
from tests.faults.killed import KILL_AT, PASSED, Places
from tests.pipelines.lookup.made_batch import make_batch


def main() -> int:
    """Writes the answers to a file, which appears when it is whole; returns the exit code."""
    store, output, *photos = sys.argv[1:]
    passed = os.environ.get(PASSED)
    places = Places(os.environ.get(KILL_AT), Path(passed) if passed else None)
    for name in ("create", "upload", "delete"):
        setattr(Store, name, places.around(name))
    options = LookupOptions(store=store, match=MatchOptions(batch_size=2), chunk_queries=2, round_queries=4)
    with pytest.MonkeyPatch.context() as patch:
        make_batch(patch)
        try:
            with look_up(map(Listed, photos), options) as found, finished_file(Path(output)) as partial:
                answers = [[asdict(one) for one in each] for each in found.answers(may_be_taken_back=True)]
                partial.write_text(json.dumps(answers))
        except Exception as error:
            return report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
