"""Holds the answers to a chunk of queries, and says which of them still need a closer look."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from serving.answers import SCHEMA, Answer
from serving.batch.arrays import from_table, from_text, read_arrays, to_table, to_text, write_arrays


@dataclass(frozen=True, eq=False)
class Answered:
    """Answers by the number of their query in the chunk, as `Searcher.lookup` yields them.

    `unsettled` are the numbers of those that need a closer look first, and `known` the contents (32 bytes) of those
    that were answered before: the same answers are theirs, under their own name. `shown` are the contents of the
    matches: whoever hands an answer on later looks whether one was withdrawn.
    """

    answers: Mapping[int, list[Answer]]
    unsettled: Sequence[int]
    known: Mapping[int, bytes]
    shown: Mapping[int, Sequence[bytes]]

    def with_closer(self, closer: "Answered") -> "Answered":
        """Returns the answers of both looks."""
        answers = dict(sorted({**self.answers, **closer.answers}.items()))
        return Answered(answers, closer.unsettled, self.known, {**self.shown, **closer.shown})

    def write(self, path: Path) -> None:
        """Writes it as one file."""
        rows = [{"number": number, **asdict(one)} for number, each in self.answers.items() for one in each]
        known = {number: one.hex() for number, one in self.known.items()}
        shown = {number: [one.hex() for one in some] for number, some in self.shown.items()}
        text = to_text({"unsettled": list(self.unsettled), "shown": shown, "known": known})
        write_arrays(path, {"text": text, "answers": to_table(pa.Table.from_pylist(rows, ROWS))})

    @classmethod
    def read(cls, path: Path) -> "Answered":
        """Reads what `write` wrote, equal to the last bit; raises ArtifactRefusedError for a damaged file."""
        arrays = read_arrays(path)
        text = from_text(arrays["text"])
        answers: dict[int, list[Answer]] = {}
        for row in from_table(arrays["answers"]).to_pylist():
            answers.setdefault(row.pop("number"), []).append(Answer(**row))
        shown = {int(number): [bytes.fromhex(one) for one in some] for number, some in text["shown"].items()}
        known = {int(number): bytes.fromhex(one) for number, one in text["known"].items()}
        return cls(answers, text["unsettled"], known, shown)


def _exact(field: pa.Field) -> pa.Field:
    # The contract rounds scores to float32, formats of text to six digits: neither may be done twice.
    return pa.field(field.name, pa.float64()) if field.type == pa.float32() else field


ROWS = pa.schema([pa.field("number", pa.int64()), *map(_exact, SCHEMA)])
