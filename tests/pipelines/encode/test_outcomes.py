"""Outcomes of chunks: written once, and read back with the shard that the chunk was written to."""

from pathlib import Path

import pytest
from pyarrow import parquet

from foundation.errors import ArtifactRefusedError
from foundation.store.artifact import FileRecord
from foundation.store.files import Store
from pipelines.encode.outcomes import (
    FinishedChunk,
    Outcome,
    outcome_paths,
    outcome_schema,
    read_finished_chunk,
    write_outcomes,
)
from pipelines.encode.write_shards import WrittenFile
from tests.builders import content
from tests.pipelines.encode.inventories import listed

SHARD = WrittenFile("part-1.parquet", 1, FileRecord(9, "0" * 64))
PATH = "embeddings/e/run/outcomes/attempt-0.parquet"
ROWS = [{"position": number, **listed(name)} for number, name in enumerate("ab")]
OUTCOMES = [Outcome(content("a"), is_embedded=True), Outcome(None, "truncated", "why")]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path)


@pytest.mark.parametrize("shard", [SHARD, None])
def test_a_chunk_that_is_done_is_read_back(store: Store, shard: WrittenFile | None) -> None:
    """Each photo of the work with what became of it, and the shard by its digest, if there is one."""
    assert write_outcomes(store, PATH, ROWS, OUTCOMES, shard)
    assert outcome_paths(store, "embeddings/e/run") == [PATH]
    assert read_finished_chunk(store, PATH) == FinishedChunk(PATH, shard)
    table = parquet.read_table(store.local_root / PATH)
    assert table.schema == outcome_schema()
    found = [(row["photo_id"], row["content_sha256"], row["reason"], row["is_embedded"]) for row in table.to_pylist()]
    assert found == [("a", content("a"), None, True), ("b", None, "truncated", False)]


def test_the_first_attempt_at_a_chunk_counts(store: Store) -> None:
    """The second one learns that it was late, and replaces nothing."""
    assert write_outcomes(store, PATH, ROWS, OUTCOMES, SHARD)
    assert not write_outcomes(store, PATH, ROWS, OUTCOMES, None)
    assert read_finished_chunk(store, PATH).shard == SHARD


def test_a_run_without_outcomes_has_none(store: Store) -> None:
    """Before its first chunk is done."""
    assert outcome_paths(store, "embeddings/e/run") == []


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign"])
def test_damaged_outcomes_are_refused_by_name(store: Store, damage: str) -> None:
    """The line says what to do: without the file its chunk is done again."""
    write_outcomes(store, PATH, ROWS, OUTCOMES, SHARD)
    path = store.local_root / PATH
    if damage == "foreign":
        parquet.write_table(parquet.read_table(path).replace_schema_metadata(None), path)
    else:
        path.write_bytes(path.read_bytes()[:-9] if damage == "cut" else b"")
    with pytest.raises(ArtifactRefusedError, match=rf"^{PATH} is damaged \(.*\); delete it, and its chunk is encoded"):
        read_finished_chunk(store, PATH)
