"""Writes the evidence of a lookup into a folder: a page and a JSON file for each copy, and an index of them."""

import json
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from foundation.archives.archive import read as read_archive
from foundation.store.snapshots import Snapshot
from serving.match.claim import claimed_words
from serving.match.match import Outcome
from serving.output.destination import open_text
from serving.output.display import printable
from serving.output.evidence.page import headline, page_of
from serving.output.evidence.pictures import canvas_of
from serving.output.evidence.proof import Proof, Read, original_of, read_picture
from serving.output.evidence.record import record_of
from serving.output.pictures import QUERY_SIDE, small
from serving.output.view import templates
from serving.queries import read_query

INDEX = "index.html"


def write_evidence(
    outcomes: Iterable[Outcome],
    *,
    folder: Path,
    snapshot: Snapshot,
    claimed: datetime | None = None,
    read_photo: Read = read_archive,
) -> Generator[Outcome, None, None]:
    """Writes a page and a record per copy, then passes the outcome of its query on; `index.html` lists them all.

    `claimed` is the date that is claimed for the queries. A file appears only when it is whole, the index only when
    all of them are there; the pictures of one copy are in memory at a time. Without a copy nothing is written, not
    even the folder.
    """
    with ExitStack() as stack:
        index: IO[str] | None = None
        for number, outcome in enumerate(outcomes, 1):
            for proof in _proofs(number, outcome, snapshot, claimed, read_photo):
                index = index or stack.enter_context(_open_index(folder, snapshot, claimed))
                _write(folder, proof)
                index.write(_part("row", _row(proof)))
            yield outcome


def file_name(query: int, rank: int) -> str:
    """Returns the name of a copy's files, without suffix: the number of its query, counted from 1, and its rank."""
    return f"{query:06}-{rank:02}"


def _proofs(
    number: int, outcome: Outcome, snapshot: Snapshot, claimed: datetime | None, read_photo: Read
) -> Iterator[Proof]:
    copies = [(rank, match) for rank, match in enumerate(outcome.matches, 1) if match.is_copy]
    if not copies:
        return
    query = read_picture(outcome.query, read_query, side=QUERY_SIDE)
    for rank, match in copies:
        yield Proof(
            name=file_name(number, rank),
            rank=rank,
            query_name=outcome.query,
            query=query,
            match=match,
            original=original_of(match, read_photo),
            snapshot=snapshot,
            claimed=claimed,
            siblings=[(file_name(number, other), one) for other, one in copies if other != rank],
        )


def _write(folder: Path, proof: Proof) -> None:
    page = templates().get_template("evidence.html").render(page_of(proof))
    with open_text(folder / f"{proof.name}.html") as file:
        file.write(page)
    with open_text(folder / f"{proof.name}.json") as file:
        json.dump(record_of(proof), file, ensure_ascii=False, allow_nan=False, indent=1)


@contextmanager
def _open_index(folder: Path, snapshot: Snapshot, claimed: datetime | None) -> Iterator[IO[str]]:
    folder.mkdir(exist_ok=True)
    facts = f"Snapshot {snapshot.number} of {snapshot.created_at[:10]} · encoder {snapshot.encoder_id}"
    facts += f" · claimed date {claimed_words(claimed)}" if claimed else ""
    with open_text(folder / INDEX) as file:
        file.write(_part("head", {"facts": facts}))
        yield file
        file.write(_part("foot", {}))


def _row(proof: Proof) -> dict[str, Any]:
    return {
        **headline(proof),
        "name": proof.name,
        "verdict": proof.match.verdict.name,
        "score": proof.match.verdict.score,
        "query_name": printable(proof.query_name),
        "photo_id": printable(proof.match.photo["photo_id"]),
        "query": proof.query and small(proof.query.pixels),
        "photo": small(canvas_of(proof)),
    }


def _part(name: str, values: dict[str, Any]) -> str:
    """Returns one part of the index, which is written row by row while queries are answered."""
    return getattr(templates().get_template("evidence_index.html").module, name)(values)
