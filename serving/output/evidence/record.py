"""Writes down what proves a copy as JSON, so that it can be checked later and by others."""

import dataclasses
import math
from datetime import datetime
from typing import Any

import numpy as np

from foundation.photos.photo import DECODE_RULE
from foundation.store.artifact import now, versions_of
from serving.match.evidence import Evidence
from serving.output.evidence.proof import Proof
from serving.output.wording import described

RECORDED_VERSIONS = ("firstseen", "numpy", "opencv-python-headless", "pillow", "simplejpeg")


def record_of(proof: Proof) -> dict[str, Any]:
    """Returns the record of one copy: digests, dates, what was measured, and what it was measured with."""
    match, snapshot = proof.match, proof.snapshot
    return {
        "verdict": match.verdict.name,
        "score": _plain(match.verdict.score),
        "description": described(match.verdict.name, match.description),
        "first_seen": _plain(match.seen),
        "claimed_date": _plain(proof.claimed),
        "claim": proof.claim,
        "query": _query(proof),
        "photo": _photo(proof),
        "evidence": None if proof.evidence is None else _measured(proof.evidence),
        "snapshot": {"number": snapshot.number, "created_at": snapshot.created_at, "sha256": snapshot.content_sha256},
        "encoder": {"id": snapshot.encoder_id, "sha256": snapshot.encoder_digest},
        "made": {"at": now(), "decode_rule": DECODE_RULE, "versions": versions_of(*RECORDED_VERSIONS)},
    }


def _query(proof: Proof) -> dict[str, Any]:
    if proof.query is None:
        return {"name": proof.query_name, "sha256": None, "width": None, "height": None}
    return {"name": proof.query_name, "sha256": proof.query.content_sha256.hex(), **proof.query.size._asdict()}


def _photo(proof: Proof) -> dict[str, Any]:
    photo = proof.match.photo
    names = ("photo_id", "uri", "width", "height", "published_at", "captured_at", "caption", "credit", "source")
    columns = {name: _plain(photo[name]) for name in names}
    # The digest is the indexed content's; `file` says whether the archive still has it.
    return {**columns, "sha256": photo["content_sha256"].hex(), "file": proof.original.file}


def _measured(evidence: Evidence) -> dict[str, Any]:
    measured = _plain(evidence)
    for name in ("is_mirrored", "is_inverted", "agreement"):
        measured[name] = _plain(getattr(evidence, name))
    return measured


def _plain(value: Any) -> Any:
    """Returns a value as JSON has it; pictures, which stand on the page, are left out, and so is what is no number."""
    if dataclasses.is_dataclass(value):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        return {name: _plain(one) for name, one in fields.items() if not _is_picture(one)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.ravel().tolist()]
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_picture(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.size > 9
