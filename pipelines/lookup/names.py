"""Names the working files of a lookup: one of each stage for each chunk, look, and group of segments."""

import re

from pipelines.lookup.plan import Group

PREPARED, FOUND, WANTED, FETCHED, ANSWERS, KNOWN = "prepared", "found", "wanted", "fetched", "answers", "known"
# The files of a stage or a round. Systems and people leave others there: .nfs0001, .DS_Store, a copy.
OURS = re.compile(r"\d+(T\d{6}Z)?(-[0-9a-f]+)*(\.json)?")
# What each round took, in a file each.
ROUNDS = "rounds"
# The stages whose files are only needed until their round is done.
PASSING = (PREPARED, FOUND, WANTED, FETCHED)
# A query is looked at once more, closer, if the first look does not explain it.
FIRST, CLOSE = 0, 1


def chunk_file(stage: str, chunk: int, look: int) -> str:
    """Returns the file of a chunk at a look."""
    return f"{stage}/{chunk:08d}-{look}"


def group_file(stage: str, chunk: int, look: int, group: Group) -> str:
    """Returns the file of a chunk and a group of segments, which is named by their numbers."""
    # A job that goes on may have another limit of memory, and other groups: their files do not count.
    return f"{chunk_file(stage, chunk, look)}-{group.first}-{group.end}"


def answers_file(chunk: int) -> str:
    """Returns the file that says that a chunk is answered."""
    return f"{ANSWERS}/{chunk:08d}"


def chunk_of(name: str) -> int:
    """Returns the number of the chunk that a file is of."""
    return int(name.rpartition("/")[2].partition("-")[0])
