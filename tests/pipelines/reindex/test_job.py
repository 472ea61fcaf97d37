"""Re-indexing an archive: encode, index and publish in one go, and nothing where nothing changed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from foundation.errors import ArtifactRefusedError, UsageError
from foundation.store import artifact
from foundation.store.encoders import ENCODER_DESCRIPTION, encoder_directory, encoder_id_for, read_spec
from foundation.store.snapshots import Snapshot, live_snapshot, snapshot_numbers
from pipelines.encode.plan import EncodeOptions
from pipelines.index.plan import IndexOptions
from pipelines.reindex import job
from pipelines.reindex.job import ReindexResult, reindex
from tests.nights import Found, Nights


def again(nights: Nights, archive: str = "archive", *, indexing: dict | None = None, **options: Any) -> ReindexResult:
    """Re-indexes an archive."""
    gate, on_encoded = (options.pop(name, None) for name in ("gate", "on_encoded"))
    encoding = EncodeOptions(
        archive=str(nights.folder / archive), store=nights.store.uri, **{"features": "none", **options}
    )
    named = {"on_encoded": on_encoded} if on_encoded else {}
    return reindex(encoding, IndexOptions(**indexing or {}), gate=gate, **named)


@pytest.fixture
def settled(nights: Nights) -> Nights:
    """Three photos, indexed."""
    for number in range(3):
        nights.put(f"{number}.jpg", number)
    again(nights)
    return nights


def test_what_changed_is_live_when_it_returns(settled: Nights) -> None:
    """Of this archive, and of others that wait; who watches is told of the encoding before the index begins."""
    settled.put("w.jpg", 5, archive="waits")
    settled.encode("waits")
    settled.put("3.jpg", 3)
    settled.path("0.jpg").unlink()
    told: list[Any] = []
    result = again(settled, on_encoded=lambda encoded: told.append((encoded, snapshot_numbers(settled.store))))
    assert told == [(result.encoded, [1])]
    assert (result.encoded.accounting.embedded, result.encoded.accounting.removed) == (1, 1)
    assert result.indexed
    assert result.indexed.snapshot.number == 2
    # Two segments of some photos are worth merging: that is a snapshot of its own.
    assert result.compacted
    assert result.compacted.snapshot == live_snapshot(settled.store)
    assert result.compacted.snapshot.number == 3
    expected = {Found("archive", f"{number}.jpg", number) for number in (1, 2, 3)}
    assert settled.found() == expected | {Found("waits", "w.jpg", 5)}


def test_a_night_without_changes_writes_nothing_and_imports_little(
    settled: Nights, run_python: Callable[[str], str]
) -> None:
    """In a process of its own: neither Beam nor TensorFlow is needed to see that nothing changed."""
    before = {path: path.stat().st_mtime_ns for path in settled.store.local_root.rglob("*")}
    script = (
        "import sys\n"
        "from pipelines.encode.plan import EncodeOptions\n"
        "from pipelines.index.plan import IndexOptions\n"
        "from pipelines.reindex.job import reindex\n"
        f"options = EncodeOptions(archive={str(settled.folder / 'archive')!r}, store={settled.store.uri!r})\n"
        "result = reindex(options, IndexOptions())\n"
        "heavy = [name for name in ('apache_beam', 'tensorflow', 'scann') if name in sys.modules]\n"
        "print(result.encoded.is_new, result.indexed.is_new, result.indexed.snapshot.number, heavy)\n"
    )
    assert run_python(script) == "False False 1 []\n"
    assert {path: path.stat().st_mtime_ns for path in settled.store.local_root.rglob("*")} == before


def test_a_merge_that_fails_leaves_the_night_live(settled: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """The snapshot was published before: the result says what became of the merge, and nothing is raised."""

    def fails(*_: Any, **__: Any) -> None:
        raise ArtifactRefusedError("recall under the bar")

    settled.put("3.jpg", 3)
    monkeypatch.setattr(job, "compact_due", fails)
    result = again(settled)
    assert (result.compacted, result.not_compacted) == (None, "recall under the bar")
    assert snapshot_numbers(settled.store) == [1, 2]
    assert Found("archive", "3.jpg", 3) in settled.found()


def test_what_a_gate_refuses_waits_for_the_next_night(settled: Nights) -> None:
    """Nothing is published, what was encoded is kept, and is not encoded again."""
    settled.put("3.jpg", 3)

    def refuse(_: Snapshot) -> None:
        raise ArtifactRefusedError("too little is found")

    with pytest.raises(ArtifactRefusedError, match="too little is found"):
        again(settled, gate=refuse)
    assert snapshot_numbers(settled.store) == [1]
    settled.decoded.clear()
    result = again(settled)
    assert (result.encoded.is_new, settled.decoded) == (False, [])
    assert Found("archive", "3.jpg", 3) in settled.found()


@pytest.fixture
def newer(settled: Nights) -> str:
    """The id of a second encoder in the store, and a second archive that is live with the first."""
    settled.put("o.jpg", 9, archive="other")
    again(settled, "other")
    live = live_snapshot(settled.store)
    assert live
    spec, _ = read_spec(settled.store, live.encoder_id)
    encoder_id = encoder_id_for("newer", spec.files)
    described = replace(spec, encoder_id=encoder_id, recipe="newer")
    artifact.finish(settled.store, f"{encoder_directory(encoder_id)}/{ENCODER_DESCRIPTION}", described)
    return encoder_id


def test_another_encoder_takes_over_when_it_has_every_archive(settled: Nights, newer: str) -> None:
    """Until then its runs wait, the result names what is missing, and the live encoder goes on; then it is one step."""
    before = settled.found()
    first = again(settled, encoder=newer)
    assert first.indexed is None
    assert first.missing == [(settled.folder / "other").resolve().as_uri()]
    assert settled.found() == before
    settled.put("3.jpg", 3)
    assert again(settled).indexed
    assert again(settled, encoder=newer).indexed is None
    second = again(settled, "other", encoder=newer)
    assert second.missing == []
    assert second.indexed
    assert second.indexed.replaced
    assert second.indexed.snapshot.encoder_id == newer
    assert settled.found() == before | {Found("archive", "3.jpg", 3)}


def test_an_archive_is_lost_in_a_switch_only_if_that_is_allowed(settled: Nights, newer: str) -> None:
    """An index is refused as well; the line names what would be lost."""
    settled.encode(encoder=newer)
    with pytest.raises(UsageError, match=rf"not encoded with {newer} yet: file://.*/other; .* --allow-shrink"):
        settled.index(encoder=newer)
    result = again(settled, encoder=newer, indexing={"allow_shrink": True})
    assert result.indexed
    assert {one.archive for one in settled.found()} == {"archive"}
