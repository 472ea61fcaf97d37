"""Encodes an archive: what changed since its last run → embedding shards and run.json, every photo accounted for."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from foundation.archives.archive import Archive, address_of, open_archive
from foundation.errors import FirstseenError, TemporaryError, TranslatedOnlyError
from foundation.store import artifact
from foundation.store.chains import read_runs
from foundation.store.encoder_choice import choose_encoder
from foundation.store.encoders import EncoderSpec
from foundation.store.files import Store
from foundation.store.run_paths import run_path
from foundation.store.runs import Accounting, Run, read_rejects
from foundation.store.segments import read_segment, require_files
from foundation.store.shipped import with_shipped
from foundation.store.snapshots import Snapshot, live_snapshot
from foundation.store.unfinished import BEGUN, begin_run
from pipelines.encode.catalog import Catalog, read_catalog
from pipelines.encode.catalog_dates import DateProblem
from pipelines.encode.compare import Comparison, compare, require_no_shrinking, require_readable
from pipelines.encode.database import open_database
from pipelines.encode.finish import account, finish_run, is_as_before
from pipelines.encode.held import Waiting, lost_contents, read_waiting
from pipelines.encode.listeners import Listeners, ignore
from pipelines.encode.listing import Listing, write_listing
from pipelines.encode.outcomes import outcome_paths, outcomes_directory, read_finished_chunk
from pipelines.encode.plan import EncodeOptions, chunk_size, plan_run, require_apart
from pipelines.encode.previous import Previous, find_other, find_previous, previous_inventory
from pipelines.encode.unfinished import find_unfinished
from pipelines.encode.unopened import list_again, list_nothing, require_known
from pipelines.encode.withdrawn import Withdrawn, read_withdrawn
from pipelines.encode.work import plan_work, remove_attempt, remove_work
from pipelines.runners.dataflow import is_translation
from pipelines.runners.names import check_runner


@dataclass(frozen=True)
class EncodeResult:
    """The run that says how the archive stands, and what became of every photo this time.

    `is_new` is false where nothing had changed: it is the last run then, and nothing was written. `date_problems` are
    the dates of the catalog that had to be left out, `left_out` counts what the listing left out, by its reason.
    """

    run: Run
    accounting: Accounting
    is_new: bool
    date_problems: list[DateProblem]
    left_out: Counter[str]


@dataclass(frozen=True)
class Prepared:
    """All that is known before the listing: the archive, the encoder, and the run that is planned.

    `workers` is how many there should be some work for; `live` is the live snapshot, if it is of this encoder; `words`
    are the runs of the one that is, which know of dates and captions when another encoder takes over.
    """

    options: EncodeOptions
    workers: int
    store: Store
    archive: Archive
    catalog: Catalog | None
    spec: EncoderSpec
    live: Snapshot | None
    previous: Previous
    words: Previous
    run: Run


def encode(options: EncodeOptions, listeners: Listeners = Listeners()) -> EncodeResult:  # noqa: B008 (frozen)
    """Encodes what changed in an archive, goes on with a run that was cut off, and returns what came of it.

    Raises InputNotFoundError, ArtifactRefusedError, TemporaryError or UsageError; without run.json the directory of a
    run is never read.
    """
    prepared = prepare(options)
    problems = prepared.catalog.problems if prepared.catalog else []
    with compared(prepared, on_listed=listeners.on_listed) as found:
        comparison, left_out = found.look(), prepared.archive.left_out
        if comparison.is_nothing and prepared.previous.generation:
            last = prepared.previous.runs[-1].run
            listeners.on_begin(last)
            return EncodeResult(last, account(found.database), False, problems, left_out)
        listeners.on_begin(found.run)
        require_no_shrinking(comparison, prepared.archive.uri, allow=options.allow_shrink or options.remove_archive)
        with naming_damage(prepared.store, found.run):
            finished = carry_out(found, comparison, listeners)
        remove_work(prepared.store, finished or found.run)
        if finished is None:
            return EncodeResult(prepared.previous.runs[-1].run, account(found.database), False, problems, left_out)
        return EncodeResult(finished, finished.accounting, True, problems, left_out)


def carry_out(found: "Compared", comparison: Comparison, listeners: Listeners) -> Run | None:
    """Reads what a comparison says is to be read, and finishes the run; None if that would say nothing new."""
    prepared, options, run = found.prepared, found.prepared.options, found.run
    store = prepared.store
    # Of a run that others have been at, one of whom may still be, no file has the name that theirs have.
    begun = begin_run(store, run)
    mark = "" if begun.endswith(f"/{BEGUN}") else artifact.fresh_name()
    work = plan_work(
        store,
        run,
        found.waiting,
        # A compaction that sees this run drops nothing it may know. One that looked just before may: what nothing holds
        # any more is found by the next night, see `lost_contents`, and read again.
        of_encoder(live_snapshot(store), run.encoder_digest),
        found.withdrawn,
        database=found.database,
        folder=found.folder,
        chunk_photos=chunk_size(comparison.read, options, workers=prepared.workers),
    )
    if work.chunks:
        # Beam takes seconds to import: a night without new photos does without it.
        from pipelines.encode.encode_chunks import encode_chunks

        try:
            encode_chunks(
                store, run, prepared.spec, work, options, photos=comparison.read, on_progress=listeners.on_progress
            )
        except TranslatedOnlyError:
            remove_attempt(store, work, begun)
            raise
    elif is_translation(options.runner, options.beam_flags):
        remove_attempt(store, work, begun)
        raise TranslatedOnlyError("no photo has to be read: there is no job to translate, and nothing was written")
    found.look(is_last=True)
    if not options.read_again:
        require_readable(found.database, prepared.archive.uri, prepared.archive.folder)
    if prepared.previous.generation and is_as_before(found.database):
        return None
    chunks = [read_finished_chunk(store, path) for path in found.outcomes]
    return finish_run(found.database, store, run, chunks, folder=found.folder, mark=mark)


def of_encoder(live: Snapshot | None, encoder_digest: str) -> Snapshot | None:
    """Returns the live snapshot, if it is of this encoder."""
    return live if live and live.encoder_digest == encoder_digest else None


def prepare(options: EncodeOptions) -> Prepared:
    """Checks everything that a user can get wrong before the listing, which may take minutes, and opens the archive."""
    workers = check_runner(options.runner, workers=options.workers, beam_flags=options.beam_flags)
    # What is read again is found where it was, and what is taken out need not be there: the archive may be gone.
    archive = None if options.read_again or options.remove_archive else open_wanted(options)
    catalog = read_catalog(options.catalog) if options.catalog else None
    # Made where there is none: with the shipped encoder an archive can be encoded without any training.
    store = Store(options.store, create=True)
    answering = live_snapshot(store)
    spec, digest = choose_encoder(store, with_shipped(store, options.encoder), answering)
    live = of_encoder(answering, digest)
    if live:
        # What is encoded now could not be published beside a broken segment.
        require_files(store, [read_segment(store, one) for one in live.segments])
    uri = archive.uri if archive else address_of(options.archive)
    left_out = answering.left_out if answering else ()
    previous = find_previous(read_runs(store, spec.encoder_id), live, uri, left_out=left_out)
    if options.remove_archive:
        require_known(uri, store, previous, answering)
    archive = archive or (list_nothing(uri) if options.remove_archive else list_again(uri, store, previous))
    run = plan_run(archive, spec, digest, previous, dtype=options.dtype, features=options.features)
    words = previous if live or not answering else find_other(store, answering, archive.uri)
    return Prepared(options, workers, store, archive, catalog, spec, live, previous, words, run)


def open_wanted(options: EncodeOptions) -> Archive:
    """Opens the archive that the options name; raises UsageError if the store lies in it."""
    archive = open_archive(options.archive, include=options.include, exclude=options.exclude, data_dir=options.data_dir)
    require_apart(archive, options.store)
    return archive


@dataclass(kw_only=True)
class Compared:
    """A listing, and the database to compare it in with how the archive stood: `run` is to be gone on with, or begun.

    `outcomes` are the paths of what attempts at the run have come to, as far as the last look saw them; files that are
    opened to compare are closed with `opened`.
    """

    prepared: Prepared
    opened: ExitStack
    database: duckdb.DuckDBPyConnection
    folder: Path
    listing: Listing
    inventory: list[Path]
    words: list[Path]
    withdrawn: Withdrawn
    waiting: list[Waiting]
    lost: list[bytes]
    retried: list[str]
    run: Run
    outcomes: list[str] = field(default_factory=list)

    def look(self, *, is_last: bool = False) -> Comparison:
        """Makes the tables of a comparison, see `compare`, with what the run has come to by now."""
        prepared, store = self.prepared, self.prepared.store
        self.outcomes = outcome_paths(store, self.run.directory)
        names = [path.rpartition("/")[2] for path in self.outcomes]
        with naming_damage(store, self.run):
            directory = self.opened.enter_context(store.local_copy(outcomes_directory(self.run.directory), names))
            return compare(
                self.database,
                self.listing,
                previous=self.inventory,
                outcomes=[directory / name for name in names],
                # The archive itself is not listed then.
                check="none" if prepared.options.read_again else prepared.options.check,
                previous_at=prepared.previous.created_at,
                withdrawn=self.withdrawn,
                lost=self.lost,
                words=self.words,
                retried=self.retried,
                is_last=is_last,
            )


@contextmanager
def compared(prepared: Prepared, *, on_listed: Callable[[int], None] = ignore) -> Iterator[Compared]:
    """Lists the archive, and yields what its listing is compared in; its files are gone when the block ends."""
    options, store, previous = prepared.options, prepared.store, prepared.previous
    catalog = prepared.catalog.rows if prepared.catalog else None
    retried = list(options.read_again)
    if run_id := options.retry_rejects:
        retried += read_rejects(store, prepared.spec.encoder_id, run_id, archive=prepared.run.archive)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="firstseen-")))
        database = opened.enter_context(open_database(folder))
        listing = write_listing(folder / "listing.parquet", prepared.archive, catalog=catalog, on_listed=on_listed)
        planned = replace(prepared.run, photos_in_catalog=listing.in_catalog if options.catalog else None)
        # Of a run that is gone on with the catalog may be another one by now.
        run = replace(find_unfinished(store, planned) or planned, photos_in_catalog=planned.photos_in_catalog)
        inventory = opened.enter_context(previous_inventory(store, previous, folder))
        waiting = read_waiting(store, previous.waiting)
        yield Compared(
            prepared=prepared,
            opened=opened,
            database=database,
            folder=folder,
            listing=listing,
            inventory=inventory,
            words=[] if previous.runs else opened.enter_context(previous_inventory(store, prepared.words, folder)),
            withdrawn=read_withdrawn(store, run.archive, since=previous.created_at),
            waiting=waiting,
            lost=lost_contents(store, inventory[:1], prepared.live, waiting),
            retried=retried,
            run=run,
        )


@contextmanager
def naming_damage(store: Store, run: Run) -> Iterator[None]:
    """Raises ArtifactRefusedError in place of an error of the database if outcomes of the run cannot be read.

    Raises TemporaryError if another process finished the run meanwhile, and removed what this one reads.
    """
    try:
        yield
    except TranslatedOnlyError:
        raise
    except (duckdb.Error, FirstseenError) as error:
        if store.exists(run_path(run.encoder_id, run.run_id)):
            raise TemporaryError(
                f"another process finished run {run.run_id} meanwhile, and it counts; run again, which finds what has "
                "changed since"
            ) from error
        # The database reads all of them as one table, and does not say what to do about one that is damaged.
        for path in outcome_paths(store, run.directory) if isinstance(error, duckdb.Error) else ():
            read_finished_chunk(store, path)
        raise
