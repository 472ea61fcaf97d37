"""The verb estimate: what it tells to type next."""

from pathlib import Path

from firstseen.commands.estimate import reindex_command
from pipelines.encode.plan import EncodeOptions


def test_what_is_typed_next_does_what_was_estimated():
    """Other patterns, or another encoder, would cost something else; defaults are not spelled out."""
    plain = EncodeOptions(archive="A B", store="S")
    assert reindex_command(plain) == "firstseen reindex 'A B' --store S"
    chosen = EncodeOptions(
        archive="A",
        store="S",
        encoder="e",
        catalog=Path("c.csv"),
        include=("*.jpg",),
        exclude=("a", "b"),
        features="none",
        check="hash",
    )
    assert reindex_command(chosen) == (
        "firstseen reindex A --store S --encoder e --catalog c.csv --include '*.jpg' --exclude a --exclude b "
        "--features none --check hash"
    )
