"""Writes anew how an archive stands, where the inventory of its last run is lost: as a run of its own, without photos.

Sizes and times are unknown, so that the next encode reads every photo once; it embeds none whose content is known.
"""

import tempfile
from pathlib import Path

import duckdb

from foundation.store import artifact
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.run_paths import RUN_DESCRIPTION
from foundation.store.run_tables import inventory_schema
from foundation.store.runs import INVENTORY, Accounting, Run
from foundation.store.snapshots import ArchiveState
from pipelines.encode.database import count, rows_of, write_query
from pipelines.repair.differences import State


def write_state(
    database: duckdb.DuckDBPyConnection,
    store: Store,
    spec: EncoderSpec,
    encoder_digest: str,
    state: State,
    *,
    previous: str,
) -> ArchiveState:
    """Writes a run that lists the photos of the table `truth` that an archive has; returns how a snapshot names it.

    `previous` is the run whose inventory is lost.
    """
    rows_of(database, _STATE, {"archive": state.archive})
    photos = count(database, "SELECT count(*) FROM state")
    contents = count(database, "SELECT count(DISTINCT content_sha256) FROM state")
    ((said,),) = rows_of(
        database, "SELECT coalesce(max(generation), 0) FROM said WHERE archive = $archive", {"archive": state.archive}
    )
    run = Run(
        run_id=artifact.fresh_name(),
        archive=state.archive,
        created_at=artifact.now(),
        encoder_id=spec.encoder_id,
        encoder_digest=encoder_digest,
        decode_rule=spec.decode_rule,
        dimension=spec.dimension,
        distance=spec.distance,
        dtype="float32",
        accounting=Accounting(
            listed=photos, embedded=0, duplicates=0, unchanged=photos, photos=photos, contents=contents
        ),
        rows={},
        files={},
        features="none",
        generation=max(state.generation, said) + 1,
        previous=previous,
        changes=0,
    )
    with tempfile.TemporaryDirectory(prefix="firstseen-") as folder:
        path = Path(folder, INVENTORY)
        write_query(database, "FROM state ORDER BY photo_id", path, inventory_schema())
        store.upload(f"{run.directory}/{INVENTORY}", path)
    run.files.update(artifact.record(store, run.directory, [INVENTORY]))
    digest = artifact.finish(store, f"{run.directory}/{RUN_DESCRIPTION}", run)
    return ArchiveState(run_id=run.run_id, digest=digest, photos=photos, contents=contents)


# Of a photo that two segments give two contents, the later one counts.
_STATE = """
    CREATE OR REPLACE TABLE state AS
    SELECT photo_id, uri, -1::BIGINT AS size_bytes, NULL::TIMESTAMPTZ AS modified_at, NULL::VARCHAR AS etag,
           NULL::VARCHAR AS sidecar_uri, NULL::VARCHAR AS sidecar_version, unnest(given), NULL AS sidecar,
           content_sha256, NULL::VARCHAR AS reason, NULL::VARCHAR AS detail
    FROM truth WHERE archive = $archive
    QUALIFY row_number() OVER (PARTITION BY photo_id ORDER BY generation DESC, content_sha256) = 1
"""
