"""The record of a copy: all that is needed to check it later, as JSON that any reader takes."""

import hashlib
import json
from pathlib import Path

import numpy as np

from foundation.store.occurrences import FirstSeen
from serving.match.claim import parse_claimed_date
from serving.output.evidence.record import record_of
from tests.builders import ENCODER_DIGEST, day
from tests.evidence import made_evidence
from tests.serving.output.evidence.desk import TRANSFORM, copy_of, proof_of


def test_the_record_names_everything_by_its_digest(tmp_path: Path):
    """Bytes of query and photo, the snapshot and its encoder, what was measured, and what measured it."""
    seen = FirstSeen(day(2), "file:///first.jpg", 4, day(3), "captured")
    match = copy_of(tmp_path, seen=seen, description="a mirrored crop", score=0.97)
    record = record_of(proof_of(tmp_path, match, claimed=parse_claimed_date("2024-05-01")))
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert (record["verdict"], record["score"], record["description"]) == ("cropped", 0.97, "a mirrored crop")
    assert record["first_seen"] == {
        "at": "1970-01-03T00:00:00Z",
        "uri": "file:///first.jpg",
        "occurrences": 4,
        "published_at": "1970-01-04T00:00:00Z",
        "basis": "captured",
    }
    assert (record["claimed_date"], record["claim"]) == ("2024-05-01T00:00:00+14:00", "contradicted")
    query, photo = ((tmp_path / name).read_bytes() for name in ("query.jpg", "a.jpg"))
    assert record["query"] == {
        "name": str(tmp_path / "query.jpg"),
        "sha256": hashlib.sha256(query).hexdigest(),
        "width": 60,
        "height": 50,
    }
    assert (record["photo"]["sha256"], record["photo"]["file"]) == (hashlib.sha256(photo).hexdigest(), "as indexed")
    assert record["encoder"] == {"id": "encoder", "sha256": ENCODER_DIGEST}
    assert record["snapshot"]["number"] == 4
    assert set(record["made"]["versions"]) >= {"firstseen", "numpy"}


def test_measurements_are_written_and_pictures_are_not(tmp_path: Path):
    """The transform row by row; NumPy's numbers as numbers, and no number as null, since JSON has none for it."""
    difference = np.zeros((40, 60), np.float32)
    evidence = made_evidence(TRANSFORM, difference=difference, residual=np.float32("nan"), inliers=np.int64(12))
    measured = record_of(proof_of(tmp_path, copy_of(tmp_path, evidence=evidence)))["evidence"]
    assert measured["transform"] == [-1.0, 0.0, 79.0, 0.0, 1.0, 10.0, 0.0, 0.0, 1.0]
    assert (measured["inliers"], measured["residual"], measured["agreement"]) == (12, None, 0.875)
    assert (measured["dense"]["blocks"], measured["dense"]["displacement"]) == (40, 0.2)
    assert measured["query_size"] == [60, 50]
    assert measured["view"] == {"is_mirrored": False, "is_inverted": False}
    assert "difference" not in measured["dense"]
    json.dumps(measured, allow_nan=False)


def test_the_same_bytes_have_nothing_to_measure(tmp_path: Path):
    """A verdict in words stands there all the same; a query that is gone has its name only."""
    match = copy_of(tmp_path, evidence=None, verdict="identical")
    record = record_of(proof_of(tmp_path, match, query=None))
    assert record["evidence"] is None
    assert record["description"] == "the same file, byte for byte"
    assert record["query"] == {"name": str(tmp_path / "query.jpg"), "sha256": None, "width": None, "height": None}
