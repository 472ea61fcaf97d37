"""Answers with the evidence of one copy of a lookup that is kept: a page to print, or its record."""

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import simplejpeg

from foundation.archives.archive import read as read_archive
from foundation.photos.shared_decoders import shared_decoders
from foundation.store.snapshots import Snapshot
from serving.http.lookup_page import Shown
from serving.http.problems import Problem
from serving.output.evidence.proof import Proof, original_of
from serving.output.pictures import Picture, photo_picture

if TYPE_CHECKING:
    from serving.http.held import HeldPicture


def proof_of(number: int, rank: int, shown: Shown, snapshot: Snapshot, claimed: datetime | None) -> Proof:
    """Returns what proves the match of a rank to be a copy of a query; raises a Problem, 404, if it is none (any more).

    The archive's photo is read where it lies, and shown only if it is the one that was indexed.
    """
    match = shown.still.ranks.get(rank)
    if match is None or not match.is_copy:
        raise Problem(404, "no_copy", f"query {number} has no copy of rank {rank}; expected one that the lookup lists")
    with shared_decoders() as decoders:
        original = original_of(match, read_archive, decode=lambda data: decoders.call(photo_picture, data))
    others = [(other, one) for other, one in shown.still.ranks.items() if one.is_copy and other != rank]
    return Proof(
        name=f"{number}-{rank}",
        rank=rank,
        query_name=shown.held.outcome.query,
        query=_picture(shown.held.picture) if shown.held.picture else None,
        match=match,
        original=original,
        snapshot=snapshot,
        claimed=claimed,
        siblings=[(f"{number}-{other}", one) for other, one in others],
    )


def _picture(held: "HeldPicture") -> Picture:
    return Picture(np.asarray(simplejpeg.decode_jpeg(held.jpeg, colorspace="RGB")), held.size, held.content_sha256)
