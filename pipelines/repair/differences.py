"""Compares what whole segments say with what the inventories of the archives say: who has which content.

The inventories are right. Old shards and changes are not asked: what was removed since would come back with them.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from foundation.store.files import Store
from foundation.store.occurrences import Occurrence, occurrence_type
from foundation.store.run_tables import inventory_schema
from foundation.store.segments import CHANGES, PHOTOS, Segment, segment_directory
from pipelines.encode.database import add_table, open_database, query_named, rows_of
from pipelines.encode.previous import Previous, previous_inventory

_SAID_SCHEMA = pa.schema([("content_sha256", pa.binary(32)), ("occurrences", pa.list_(occurrence_type()))])
_GIVEN = ("published_at", "captured_at", "caption", "credit", "source")
_STRUCT = ", ".join(f"'{name}': one.{name}" for name in _GIVEN)


@dataclass(frozen=True)
class State:
    """How one archive stands: the runs that say so, None where their inventory is lost, and its generation."""

    archive: str
    generation: int
    previous: Previous | None


@dataclass(frozen=True)
class Missing:
    """A photo whose content no whole segment holds."""

    archive: str
    photo_id: str
    uri: str
    content_sha256: bytes


@contextmanager
def known_tables(
    store: Store, folder: Path, segments: Sequence[Segment], states: Sequence[State]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields a database with the tables `said`, `held` and `truth`: of segments that are whole, and of inventories.

    What the inventory of an archive said that is lost, the segments say. Memory is bounded; joins go on in files.
    """
    with ExitStack() as stack:
        database = stack.enter_context(open_database(folder))
        rows_of(database, query_named("given"))
        parts = [part for segment in segments for part in _add_segment(database, stack, store, segment)]
        _make_said(database, parts)
        _make_held(database, segments)
        rows_of(
            database,
            "CREATE TABLE truth AS SELECT content_sha256, archive, photo_id, uri, given, generation FROM said LIMIT 0",
        )
        columns = {"archive": [one.archive for one in states], "generation": [one.generation for one in states]}
        database.register(
            "states", pa.table(columns, pa.schema([("archive", pa.string()), ("generation", pa.int64())]))
        )
        for number, state in enumerate(states):
            if state.previous is None:
                rows_of(
                    database,
                    "INSERT INTO truth SELECT content_sha256, archive, photo_id, uri, given, $generation::BIGINT "
                    "FROM said WHERE archive = $archive AND NOT is_removed",
                    {"archive": state.archive, "generation": state.generation},
                )
                continue
            inner = folder / f"inventory-{number}"
            inner.mkdir()
            paths = stack.enter_context(previous_inventory(store, state.previous, inner))
            # A second file has what older runs said beside the inventory: contents that are gone.
            add_table(database, "inventory", paths[:1], inventory_schema())
            rows_of(
                database,
                "INSERT INTO truth SELECT content_sha256, $archive, photo_id, uri, given(i), $generation::BIGINT "
                "FROM inventory AS i WHERE content_sha256 IS NOT NULL",
                {"archive": state.archive, "generation": state.generation},
            )
        yield database


def find_missing(database: duckdb.DuckDBPyConnection, withdrawn: Sequence[bytes]) -> tuple[list[Missing], list[bytes]]:
    """Returns the photos whose contents no whole segment holds, and the contents held without local features alone.

    `withdrawn` contents (32 bytes each) are not missed.
    """
    database.register("withdrawn", pa.table({"content_sha256": pa.array(list(withdrawn), pa.binary())}))
    poorer = rows_of(database, "SELECT content_sha256 FROM held WHERE NOT has_features ORDER BY content_sha256")
    return [Missing(*row) for row in rows_of(database, _MISSING)], [row[0] for row in poorer]


def find_said(database: duckdb.DuckDBPyConnection, rebuilt: Sequence[bytes]) -> dict[bytes, list[Occurrence]]:
    """Returns what has to be said beside the whole segments: corrections, and all of contents that they do not hold.

    `rebuilt` are contents (32 bytes each) of which all is said as well, since a segment is built that holds them. Call
    it after `find_missing`. Takes about 1 KB a content.
    """
    database.register("rebuilt", pa.table({"content_sha256": pa.array(list(rebuilt), pa.binary())}))
    said: dict[bytes, list[Occurrence]] = {}
    for content, archive, photo_id, uri, given, generation, is_removed in rows_of(database, _SAID):
        said.setdefault(content, []).append(
            Occurrence(photo_id, uri, **given, archive=archive, generation=generation, is_removed=is_removed)
        )
    return said


def _add_segment(database: duckdb.DuckDBPyConnection, stack: ExitStack, store: Store, segment: Segment) -> list[str]:
    """Makes tables of what a segment says, in the order in which it counts; returns their names."""
    prefix, made = segment_directory(segment.segment_id), []
    for name in [*([PHOTOS] if segment.rows else []), *([CHANGES] if segment.has_changes else [])]:
        table = f"{name.partition('.')[0]}_{segment.segment_id}"
        directory = stack.enter_context(store.local_copy(prefix, [name]))
        add_table(database, table, [directory / name], _SAID_SCHEMA)
        made.append(f'"{table}"')
    return made


def _make_said(database: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> None:
    """Makes the table of the latest that is said of each content and photo."""
    database.register("nothing", _SAID_SCHEMA.empty_table())
    every = " UNION ALL ".join(
        f"SELECT {place} AS place, content_sha256, unnest(occurrences) AS one FROM {part}"  # noqa: S608 (names of ours)
        for place, part in enumerate([*parts, "nothing"])
    )
    rows_of(
        database,
        f"""
        CREATE TABLE said AS
        SELECT content_sha256, one.archive AS archive, one.photo_id AS photo_id, one.uri AS uri,
               {{{_STRUCT}}} AS given, one.generation AS generation, one.is_removed AS is_removed
        FROM ({every})
        QUALIFY row_number() OVER (
            PARTITION BY content_sha256, one.archive, one.photo_id ORDER BY one.generation DESC, place DESC
        ) = 1
        """,  # noqa: S608 (names of ours)
    )


def _make_held(database: duckdb.DuckDBPyConnection, segments: Sequence[Segment]) -> None:
    """Makes the table of the contents that segments hold, and whether one of these has local features of all."""
    holding = [
        f"SELECT content_sha256, {one.has_all_features} AS has_features "  # noqa: S608
        f'FROM "photos_{one.segment_id}"'
        for one in segments
        if one.rows
    ]
    every = " UNION ALL ".join([*holding, "SELECT content_sha256, TRUE AS has_features FROM nothing"])
    rows_of(
        database,
        "CREATE TABLE held AS SELECT content_sha256, bool_or(has_features) AS has_features "  # noqa: S608
        f"FROM ({every}) GROUP BY content_sha256",
    )


_MISSING = """
    SELECT archive, photo_id, uri, content_sha256 FROM truth
    WHERE content_sha256 NOT IN (SELECT content_sha256 FROM held)
      AND content_sha256 NOT IN (SELECT content_sha256 FROM withdrawn)
    ORDER BY archive, photo_id
"""
_SAID = """
    WITH wanted AS (
        (SELECT content_sha256 FROM truth EXCEPT SELECT content_sha256 FROM held)
        UNION
        SELECT content_sha256 FROM rebuilt
    )
    SELECT content_sha256, archive, photo_id, t.uri, t.given, t.generation, FALSE AS is_removed
    FROM truth AS t LEFT JOIN said AS s USING (content_sha256, archive, photo_id)
    WHERE content_sha256 NOT IN (SELECT content_sha256 FROM withdrawn)
      AND (content_sha256 IN (SELECT content_sha256 FROM wanted) OR s.uri IS NULL OR s.is_removed
           OR s.uri <> t.uri OR s.given IS DISTINCT FROM t.given)
    UNION ALL
    SELECT content_sha256, archive, photo_id, s.uri, s.given,
           greatest(s.generation, states.generation), TRUE
    FROM said AS s JOIN states USING (archive)
    WHERE NOT s.is_removed
      AND NOT EXISTS (
          FROM truth AS t
          WHERE t.content_sha256 = s.content_sha256 AND t.archive = s.archive AND t.photo_id = s.photo_id
      )
    ORDER BY content_sha256, archive, photo_id
"""
