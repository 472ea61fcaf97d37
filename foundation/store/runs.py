"""CONTRACT: run.json, which lists what of a run is to be trusted; `run_tables` has the columns of its files."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from foundation.errors import ArtifactRefusedError, FirstseenError, InputNotFoundError, UsageError
from foundation.store import artifact
from foundation.store.amendments import Amendments, read_amendments
from foundation.store.artifact import FileRecord, Files, Timestamp
from foundation.store.files import Store
from foundation.store.run_paths import EMBEDDINGS, RUN_DESCRIPTION, run_directory, run_path

INVENTORY = "inventory.parquet"
CHANGES = "changes.parquet"
REJECTS = "rejects.parquet"
CONTRACT_VERSION = 3

Dtype = Literal["float32", "float16"]
# What is kept of each photo beside its vector: local features with a thumbnail, or nothing.
Features = Literal["local", "none"]


@dataclass(frozen=True, kw_only=True)
class Accounting:
    """What became of every listed photo: listed = embedded + duplicates + renamed + unchanged + rejected.

    `duplicates` are photos whose content was known or came twice; `renamed` ones had another name in the run before.
    `unchanged` ones hold what they held; `updated` are those of them with other dates or words. `removed` photos of the
    run before are listed no more. `photos` can be found, which have so many distinct
    `contents`: among them one that could not be read today, but could before.
    """

    listed: int
    embedded: int
    duplicates: int
    rejected: dict[str, int] = field(default_factory=dict)
    unchanged: int = 0
    renamed: int = 0
    updated: int = 0
    removed: int = 0
    photos: int = 0
    contents: int = 0

    @property
    def rejects(self) -> int:
        """All rejects, whatever their reason."""
        return sum(self.rejected.values())

    def check(self) -> None:
        """Raises FirstseenError if a photo is unaccounted for: it is a defect, and the run must not count."""
        found = self.embedded + self.duplicates + self.renamed + self.unchanged + self.rejects
        if found != self.listed:
            raise FirstseenError(
                f"the run lost track of photos: listed {self.listed}, but embedded {self.embedded} + duplicates "
                f"{self.duplicates} + renamed {self.renamed} + unchanged {self.unchanged} + rejected {self.rejects} = "
                f"{found}; run again"
            )


def _counted(accounting: dict[str, Any]) -> dict[str, Any]:
    return {
        **accounting,
        "photos": accounting["embedded"] + accounting["duplicates"],
        "contents": accounting["embedded"],
    }


@dataclass(frozen=True, kw_only=True)
class Run:
    """One encode run of an archive: what it was made from, what became of every photo, and the digest of every file.

    `previous` is the run of the same archive that its changes are relative to, None for the first; a later run of an
    archive has a higher `generation`. `changes` counts the rows of `changes.parquet`. `feature_rule` is the version of
    the rule that its local features were made by, None without any.

    Runs of versions 1 and 2 were each the first of their archive: generation 0, and no changes.
    """

    __pydantic_config__: ClassVar = artifact.CONTRACT
    upgrades: ClassVar[artifact.Upgrades] = {
        1: lambda raw: {**raw, "features": "none"},
        2: lambda raw: {
            **raw,
            "generation": 0,
            "previous": None,
            "changes": 0,
            "accounting": _counted(raw["accounting"]),
        },
    }

    run_id: str
    archive: str
    created_at: Timestamp
    encoder_id: str
    encoder_digest: str
    decode_rule: int
    dimension: int
    distance: Literal["cosine", "euclidean"]
    dtype: Dtype
    accounting: Accounting
    rows: dict[str, int]
    files: Files
    features: Features
    generation: int
    previous: str | None
    changes: int
    feature_rule: int | None = None
    photos_in_catalog: int | None = None
    contract_version: int = CONTRACT_VERSION
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> str:
        """Where the run lies in the store."""
        return run_directory(self.encoder_id, self.run_id)

    @property
    def inventory(self) -> str:
        """Where the run's inventory lies in the store."""
        return f"{self.directory}/{self.inventory_file}"

    @property
    def inventory_file(self) -> str:
        """The name of the run's inventory among its files."""
        return self._find(INVENTORY)

    @property
    def changes_file(self) -> str:
        """The name of the run's changes among its files, which only a run with any has."""
        return self._find(CHANGES)

    @property
    def shards(self) -> dict[str, FileRecord]:
        """The embedding shards among the files."""
        return {name: self.files[name] for name in self.rows}

    def _find(self, name: str) -> str:
        """Returns the file that stands for `name`; an amendment has another one of the same beginning in its place."""
        stem, _, ending = name.partition(".")
        found = [one for one in self.files if one == name or (one.startswith(f"{stem}-") and one.endswith(ending))]
        if not found:
            raise ArtifactRefusedError(
                f"run {self.run_id} has lost its {name}; expected it in {self.directory}: `firstseen repair` makes up "
                "for it"
            )
        return found[-1]


def list_runs(store: Store, encoder_id: str) -> list[str]:
    """Returns the ids of the finished runs of one encoder, oldest first."""
    # The order of the names is that of the runs, since each begins with the second in which its run began.
    names = store.directories(f"{EMBEDDINGS}/{encoder_id}")
    return [name for name in names if store.exists(run_path(encoder_id, name))]


def list_encoders_with_runs(store: Store) -> list[str]:
    """Returns the ids of the encoders that have at least one finished run."""
    return [encoder_id for encoder_id in store.directories(EMBEDDINGS) if list_runs(store, encoder_id)]


def read_run(store: Store, encoder_id: str, run_id: str, amendments: Amendments | None = None) -> tuple[Run, str]:
    """Returns (run, digest), the run as it was amended; raises ArtifactRefusedError for another encoder's description.

    Whoever reads several runs reads the amendments of the store once.
    """
    amendments = read_amendments(store) if amendments is None else amendments
    path = run_path(encoder_id, run_id)
    if not store.exists(path):
        raise InputNotFoundError(f"run {run_id} in store {store.uri} has no {RUN_DESCRIPTION}: it never finished")
    run, digest = artifact.read(store, path, Run)
    if (run.encoder_id, run.run_id) != (encoder_id, run_id):
        raise ArtifactRefusedError(
            f"{path} describes run {run.run_id} of encoder {run.encoder_id}, expected run {run_id} of {encoder_id}"
        )
    if unlisted := set(run.rows) - set(run.files):
        raise ArtifactRefusedError(f"{path} counts rows of files it does not list: {sorted(unlisted)}; restore it")
    if amendments.is_given_up(encoder_id, run_id):
        raise ArtifactRefusedError(
            f"run {run_id} was given up by an amendment; `firstseen repair` removes what is left"
        )
    return amendments.apply(run), digest


def read_rejects(store: Store, encoder_id: str, run_id: str, *, archive: str) -> list[str]:
    """Returns the photo_ids of the photos that a run of an archive rejected; raises UsageError if it is of another."""
    from pyarrow import parquet

    run, _ = read_run(store, encoder_id, run_id)
    if run.archive != archive:
        raise UsageError(
            f"run {run_id} is of the archive {run.archive}; expected one of {archive}: `firstseen status --store "
            f"{store.uri}` names the last ones"
        )
    found: list[str] = []
    for name in run.files:
        if name.startswith("rejects"):
            with store.open(f"{run.directory}/{name}") as file:
                found += parquet.read_table(file, columns=["photo_id"])["photo_id"].to_pylist()
    return found
