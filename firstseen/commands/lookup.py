"""Looks photos up in a snapshot, and writes the answers in the format that was asked for: lookup."""

import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstseen.commands.options import SnapshotOption, StoreOption
from firstseen.commands.streams import number_of, tell
from foundation.errors import InputNotFoundError

if TYPE_CHECKING:
    from foundation.store.files import Store
    from serving.answers import Answer
    from serving.match.options import MatchOptions


def lookup(
    queries: Annotated[list[str], typer.Argument(help="Photos, folders, an inventory (.parquet), or - for a list.")],
    store: StoreOption,
    snapshot: SnapshotOption = None,
    top_k: Annotated[int, typer.Option(help="Matches per query.")] = 10,
    min_score: Annotated[float, typer.Option(help="Leave out matches that score less.")] = 0.0,
    format: Annotated[
        str | None, typer.Option(help="table, json, jsonl, csv, parquet or html; default: as --output ends, or table.")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; default: stdout.")] = None,
    decode: Annotated[
        Path | None, typer.Option(metavar="DIR", help="New folder for the matches, decoded from their vectors, as PNG.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Queries per call of the encoder.")] = 64,
) -> None:
    """Look photos up in the live snapshot."""
    from foundation.store.files import Store
    from serving.match.options import MatchOptions
    from serving.output.decoded import check_decoder
    from serving.output.formats import check_format, format_of, write_answers
    from serving.output.guard import check_decode_folder, check_output, spare
    from serving.queries import list_queries

    format = format or format_of(output)
    check_format(format, output)
    opened = Store(store)
    if output:
        check_output(output, store=opened, queries=queries)
    if decode:
        check_decode_folder(decode, store=opened, queries=queries, output=output)
        check_decoder(opened, snapshot)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # file names need not be text
    options = MatchOptions(top_k=top_k, min_score=min_score, batch_size=batch_size)
    names = spare(list_queries(queries, stdin=sys.stdin), output=output)
    statuses: Counter[str] = Counter()
    with open_answers(opened, names, snapshot=snapshot, options=options, decode=decode) as (answers, facts):
        write_answers(counting(answers, statuses), name=format, output=output, facts=facts, decoded=decode)
    report(statuses, decode=decode)


@contextmanager
def open_answers(
    store: "Store", names: Iterable[str], *, snapshot: int | None, options: "MatchOptions", decode: Path | None
) -> Iterator[tuple[Iterator[list["Answer"]], str]]:
    """Yields (the answers of each query, a line about the snapshot they come from)."""
    from serving.match.match import answers_of
    from serving.output.decoded import write_decoded
    from serving.searcher import Searcher

    with Searcher.open(store, snapshot=snapshot, options=options) as searcher:
        live = searcher.snapshot
        facts = f"Snapshot {live.number} of {live.created_at[:10]} · {live.photos:,} photos · encoder {live.encoder_id}"
        outcomes = searcher.find(names)
        if decode:
            outcomes = write_decoded(outcomes, folder=decode, decode=searcher.decode)
        with closing(outcomes):  # however it ends: an unfinished list of files is removed
            yield (answers_of(outcome, live) for outcome in outcomes), facts


def counting(answers: Iterable[list["Answer"]], statuses: Counter[str]) -> Iterator[list["Answer"]]:
    """Passes the answers on and counts the status of each query."""
    for one_query in answers:
        statuses[one_query[0].status] += 1
        yield one_query


def report(statuses: Counter[str], *, decode: Path | None) -> None:
    """Tells how many queries came to what; raises InputNotFoundError if there was none, or none that could be used."""
    total = statuses.total()
    if not total:
        raise InputNotFoundError("no query was given; expected photos, a folder with files, or a list on stdin")
    by_status = ", ".join(f"{count:,} {status}" for status, count in sorted(statuses.items()))
    tell(f"{number_of(total, 'query', 'queries')}: {by_status}")
    if decode and statuses["matched"]:
        tell(f"{decode} holds the matches as decoded from their vectors; decoded.csv there says which is which")
    elif decode:
        tell(f"no query has a match: there is nothing to decode, and nothing was written to {decode}")
    if statuses["rejected"] == total:
        raise InputNotFoundError("every query was rejected; the reason stands in each answer")
