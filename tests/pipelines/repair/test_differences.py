"""What the inventories say: the truth that segments are compared with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from foundation.store.files import Store
from foundation.store.run_tables import inventory_schema
from pipelines.encode.compare import superseded_schema
from pipelines.encode.database import rows_of
from pipelines.encode.previous import Previous
from pipelines.repair import differences
from pipelines.repair.differences import State, known_tables
from tests.builders import content


def test_what_older_runs_said_and_is_gone_is_no_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a photo that was replaced, a repair would look for the content that it had before."""

    @contextmanager
    def two_files(store: Store, previous: Previous, folder: Path) -> Iterator[list[Path]]:
        paths = [folder / "inventory.parquet", folder / "superseded.parquet"]
        for path, schema, name in zip(paths, (inventory_schema(), superseded_schema()), ("new", "old"), strict=True):
            row = {"content_sha256": content(name), "photo_id": "1.jpg", "uri": "file:///1.jpg", "size_bytes": 1}
            parquet.write_table(pa.Table.from_pylist([row], schema), path)
        yield paths

    monkeypatch.setattr(differences, "previous_inventory", two_files)
    with known_tables(Store(tmp_path), tmp_path, [], [State("a", 1, Previous([], []))]) as database:
        assert rows_of(database, "SELECT photo_id, content_sha256 FROM truth") == [("1.jpg", content("new"))]
