"""Looks photos up in a snapshot, and writes the answers in the format that was asked for: lookup."""

import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from firstseen.commands.lookup_job import JobFlags, is_for_a_job, looked_up, split_beam_flags, write_found
from firstseen.commands.lookup_source import check_source
from firstseen.commands.options import FlinkMasterOption, SnapshotOption, flags_of, path
from firstseen.commands.streams import tell
from foundation.errors import InputNotFoundError, TemporaryError
from foundation.wording import number_of

if TYPE_CHECKING:
    from foundation.store.files import Store
    from serving.answers import Answer
    from serving.any_searcher import AnySnapshot
    from serving.match.options import MatchOptions
    from serving.output.stored import StoredPictures
    from serving.queries import Listed


class Folders(NamedTuple):
    """Where pictures are written beside the answers, if they are asked for."""

    decode: Path | None
    evidence: Path | None


def lookup(
    queries: Annotated[
        list[str],
        typer.Argument(help="Photos, folders, shards, an inventory, or - for a list; Beam's flags after `--`."),
    ],
    store: Annotated[str | None, typer.Option(help="The store: a local directory, gs://… or s3://…")] = None,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Ask a server instead: http(s)://… of `firstseen serve`; its key is in FIRSTSEEN_KEY."
        ),
    ] = None,
    snapshot: SnapshotOption = None,
    top_k: Annotated[int, typer.Option(help="Matches per query.")] = 10,
    min_score: Annotated[float, typer.Option(help="Leave out matches that score less.")] = 0.0,
    similar: Annotated[bool, typer.Option("--similar", help="Also list what is no copy, below the copies.")] = False,
    effort: Annotated[str, typer.Option(help="full; or fast, which may miss copies that are hard to find.")] = "full",
    claimed_date: Annotated[
        str | None, typer.Option(metavar="DATE", help="When the photos are said to be taken, such as 2024-05-01.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="table, json, jsonl, csv, parquet or html; default: as --output ends, or table.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(parser=path, metavar="FILE", help="File to write; default: stdout.")
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(parser=path, metavar="DIR", help="New folder for a page and a JSON file about each copy found."),
    ] = None,
    decode: Annotated[
        Path | None,
        typer.Option(
            parser=path, metavar="DIR", help="New folder for the matches, decoded from their vectors, as PNG."
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option(help="Queries per call of the encoder, or, 8 at most, per request to a server.")
    ] = 64,
    watch: Annotated[bool, typer.Option("--watch", help="Watch the queries that have no match: see `watch`.")] = False,
    runner: Annotated[
        str | None,
        typer.Option(
            help="Look up by a job: local, flink, dataflow, or any Beam runner by name; default: local above 10,000 "
            "queries, and where the index is larger than the memory."
        ),
    ] = None,
    flink_master: FlinkMasterOption = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes of a job; default: 1.")] = None,
    memory_limit: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES",
            help="Memory that a job may take, such as 8GB: segments are opened by groups. Of each worker with another "
            "runner than local.  [default: 70 % of what this machine or container has left]",
        ),
    ] = None,
) -> None:
    """Look photos up in the live snapshot of a store, or of a server."""
    from foundation.store.files import Store
    from foundation.without_pandas import leave_out_pandas
    from serving.match.claim import parse_claimed_date
    from serving.match.options import MatchOptions
    from serving.output.formats import check_format, format_of, write_answers
    from serving.output.guard import spare
    from serving.output.stored import StoredPictures
    from serving.queries import list_queries

    leave_out_pandas()
    format = format or format_of(output)
    check_format(format, output)
    folders = Folders(decode, evidence)
    queries, beam_flags = split_beam_flags(queries)
    check_source(
        store,
        server,
        {
            "--evidence": evidence,
            "--decode": decode,
            "--watch": watch,
            "--runner": runner,
            "--flink-master": flink_master,
            "--workers": workers,
            "--memory-limit": memory_limit,
            "Beam's flags": beam_flags,
        },
    )
    opened = Store(store) if store is not None else None
    check_places(opened, queries, output=output, folders=folders, snapshot=snapshot)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # file names need not be text
    options = MatchOptions(
        top_k=top_k,
        min_score=min_score,
        batch_size=batch_size,
        similar=similar,
        effort=effort,
        claimed_date=parse_claimed_date(claimed_date) if claimed_date is not None else None,
    )
    beam_flags = flags_of(beam_flags, runner=runner or "local", flink_master=flink_master)
    flags = JobFlags(runner, workers, memory_limit, tuple(beam_flags))
    listed = spare(list_queries(queries, stdin=sys.stdin), output=output)

    stored = StoredPictures()

    def write(answers: Iterable[list["Answer"]], facts: str) -> Count:
        count = Count()
        passing = count.passing(answers)
        write_answers(
            watching(opened, passing) if watch and opened else passing,
            name=format,
            output=output,
            stored=stored,
            facts=facts,
            decoded=decode,
            evidence=evidence,
        )
        return count

    if opened is None:
        with open_served(str(server), listed, snapshot=snapshot, options=options) as (answers, facts):
            write(answers, facts).report(folders)
        return
    is_typed = "-" in queries and sys.stdin.isatty()
    by_job, listed = is_for_a_job(listed, opened, flags, snapshot=snapshot, has_folders=any(folders), is_typed=is_typed)
    if by_job:
        with looked_up(opened, listed, flags, snapshot=snapshot, match=options) as found:
            facts = facts_of(found.snapshot, options)
            count = write_found(found, lambda answers: write(answers, facts), to_file=output is not None)
    else:
        with open_answers(opened, listed, snapshot=snapshot, options=options, folders=folders, stored=stored) as (
            answers,
            facts,
        ):
            count = write(answers, facts)
    count.report(folders)


def check_places(
    store: "Store | None", queries: list[str], *, output: Path | None, folders: Folders, snapshot: int | None
) -> None:
    """Raises UsageError if what is written would replace or meet what the user has, or if nothing can be decoded."""
    from serving.output.decoded import check_decoder
    from serving.output.guard import check_new_folder, check_output

    if output:
        check_output(output, store=store, queries=queries)
    if folders.decode and store:
        others = [output, folders.evidence]
        check_new_folder("--decode", folders.decode, store=store, queries=queries, others=others)
        check_decoder(store, snapshot)
    if folders.evidence:
        others = [output, folders.decode]
        check_new_folder("--evidence", folders.evidence, store=store, queries=queries, others=others)


def watching(store: "Store", answers: Iterable[list["Answer"]]) -> Iterator[list["Answer"]]:
    """Passes the answers on, and watches each query that has none in this archive."""
    from foundation.photos.rejects import PhotoError
    from serving.output.display import printable
    from serving.queries import read_query
    from serving.watch import watch_photo, watched_contents

    known = watched_contents(store)
    for one_query in answers:
        if one_query[0].status == "no_match":
            name = one_query[0].query
            try:
                # It is read again: of a long list few photos are in memory at a time.
                made = watch_photo(store, name, read_query(name), known=known)
                tell(f"{printable(name)}: {f'watched as {made.watch_id}' if made else 'watched already'}")
            except (PhotoError, TemporaryError) as error:  # its answer is there, and must not be lost
                tell(f"{printable(name)}: not watched: {error}", level="warning")
        yield one_query


@contextmanager
def open_answers(
    store: "Store",
    listed: Iterable["Listed"],
    *,
    snapshot: int | None,
    options: "MatchOptions",
    folders: Folders,
    stored: "StoredPictures",
) -> Iterator[tuple[Iterator[list["Answer"]], str]]:
    """Yields (the answers of each query, a line about the snapshot they come from); `stored` keeps their pictures."""
    from serving.match.query import open_queries
    from serving.output.decoded import write_decoded
    from serving.searcher import Searcher

    with Searcher.open(store, snapshot=snapshot, options=options) as searcher:
        live = searcher.snapshot
        outcomes = stored.passing(searcher.find(open_queries(one.name for one in listed)))
        if folders.decode:
            outcomes = write_decoded(outcomes, folder=folders.decode, decode=searcher.decode)
        if folders.evidence:
            from serving.output.evidence.write import write_evidence

            outcomes = write_evidence(outcomes, folder=folders.evidence, snapshot=live, claimed=options.claimed_date)
        with closing(outcomes):  # however it ends: an unfinished list of files is removed
            yield (searcher.answers(outcome) for outcome in outcomes), facts_of(live, options)


@contextmanager
def open_served(
    server: str, listed: Iterable["Listed"], *, snapshot: int | None, options: "MatchOptions"
) -> Iterator[tuple[Iterator[list["Answer"]], str]]:
    """Yields the same as `open_answers` from a server: the photos are read here, and sent to it."""
    from serving.match.query import open_queries
    from serving.remote.remote_searcher import open_server

    with (
        open_server(server, snapshot=snapshot, options=options) as searcher,
        closing(searcher.lookup(open_queries(one.name for one in listed))) as answers,
    ):
        yield answers, facts_of(searcher.snapshot, options)


def facts_of(live: "AnySnapshot", options: "MatchOptions") -> str:
    """Returns a line about the snapshot that answers come from."""
    from serving.match.claim import claimed_words

    facts = f"Snapshot {live.number} of {live.created_at[:10]} · {live.photos:,} photos · encoder {live.encoder_id}"
    return facts + (f" · claimed date {claimed_words(options.claimed_date)}" if options.claimed_date else "")


class Count:
    """Counts what queries came to, while their answers pass."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.copies = 0

    def passing(self, answers: Iterable[list["Answer"]]) -> Iterator[list["Answer"]]:
        """Passes the answers on and counts the status of each query, and the copies that were found."""
        for one_query in answers:
            self.statuses[one_query[0].status] += 1
            self.copies += sum(answer.is_copy for answer in one_query)
            yield one_query

    def report(self, folders: Folders) -> None:
        """Tells what queries came to; raises InputNotFoundError if there was none, or none that could be used."""
        total = self.statuses.total()
        if not total:
            raise InputNotFoundError("no query was given; expected photos, a folder with files, or a list on stdin")
        by_status = ", ".join(f"{count:,} {status}" for status, count in sorted(self.statuses.items()))
        tell(f"{number_of(total, 'query', 'queries')}: {by_status}", queries=total, statuses=self.statuses)
        _tell_of(folders, any_match=self.statuses["matched"] > 0, copies=self.copies)
        if self.statuses["rejected"] == total:
            raise InputNotFoundError("every query was rejected; the reason stands in each answer")


def _tell_of(folders: Folders, *, any_match: bool, copies: int) -> None:
    decode, evidence = folders
    if decode and any_match:
        tell(f"{decode} holds the matches as decoded from their vectors; decoded.csv there says which is which")
    elif decode:
        tell(f"no query has a match: there is nothing to decode, and nothing was written to {decode}")
    if evidence and copies:
        tell(f"{evidence} holds the evidence of {number_of(copies, 'copy', 'copies')}; open index.html there")
    elif evidence:
        tell(f"no copy was found: there is no evidence, and nothing was written to {evidence}")
