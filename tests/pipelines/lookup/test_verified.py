"""Files are held against their digests once on a machine for each lookup by a job."""

from pathlib import Path

import pytest

from foundation.store import artifact
from foundation.store.files import Store
from pipelines.lookup.verified import checked_files


def test_a_file_is_read_once_for_a_lookup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that was made just now, as copies from a bucket are; another lookup reads it again."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store(tmp_path / "store", create=True)
    store.create("s/vectors", b"good")
    files = {"vectors": artifact.FileRecord(4, artifact.digest_of(b"good"))}
    read: list[str] = []
    monkeypatch.setattr(artifact, "verify_files", lambda *given, **_: read.append(given[1]))
    for lookup_id in ("a", "a", "b"):
        checked_files(lookup_id).verify(store, "s", files)
    assert len(read) == 2
