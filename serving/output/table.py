"""Writes answers as a table for people: the name of a query, then its copies, then what is only similar.

Each query is written as soon as it is answered: the columns are fixed and names stand last, so that no line waits for a
longer name to come, and ten thousand answers need no more memory than one.
"""

import shutil
from collections.abc import Iterable, Iterator
from typing import IO

from serving.answers import Answer
from serving.output.display import columns_of, padded, printable, shortened
from serving.output.wording import CONTRADICTED, ONLY_SIMILAR

# The longest verdicts have ten letters: recoloured, same_scene.
VERDICT_COLUMNS = 10
# A name is not cut below this: in a narrow terminal its line is folded instead, since `…jpg` would say nothing.
FEWEST_NAME_COLUMNS = 24
HEADER = f"  {'verdict':{VERDICT_COLUMNS}}  score  first seen  copies  rank  photo"


def write_table(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    """Writes a header and a block per query; without a match its only line holds the status and the reason.

    On a terminal a name too long for its line loses its middle. Files and pipes get every name whole.
    """
    columns = shutil.get_terminal_size().columns if file.isatty() else None
    file.write(HEADER + "\n")
    for one_query in answers:
        file.write("\n" + _fitted("", one_query[0].query, columns))
        file.writelines(_lines(one_query, columns))


def _lines(one_query: list[Answer], columns: int | None) -> Iterator[str]:
    copies = [answer for answer in one_query if answer.is_copy]
    others = [answer for answer in one_query if answer.rank is not None and not answer.is_copy]
    first = one_query[0]
    if first.rank is None or first.status != "matched":
        # A reason is never cut: it says what to do.
        yield f"  {first.status:{VERDICT_COLUMNS}}  {printable(first.reason or '')}".rstrip() + "\n"
    for answer in copies:
        yield _match(answer, columns)
        if words := _words(answer):
            yield f"{'':{VERDICT_COLUMNS + 4}}{words}\n"
    if others:
        yield f"  {ONLY_SIMILAR}:\n"
    for answer in others:
        yield _match(answer, columns)
        if basis := _basis(answer):
            yield f"{'':{VERDICT_COLUMNS + 4}}{basis}\n"


def _match(answer: Answer, columns: int | None) -> str:
    seen = f"{answer.first_seen_at:%Y-%m-%d}" if answer.first_seen_at else "unknown"
    verdict = padded(printable(answer.verdict or ""), VERDICT_COLUMNS)
    figures = f"  {verdict}  {answer.score:5.3f}  {seen:10}  {answer.occurrences:6}  {answer.rank:4}  "
    return _fitted(figures, answer.photo_id or "", columns)


def _words(answer: Answer) -> str:
    contradiction = CONTRADICTED if answer.claim == "contradicted" else ""
    return "; ".join(filter(None, (printable(answer.description or ""), _basis(answer), contradiction)))


def _basis(answer: Answer) -> str:
    """Returns the word for a date that anybody can set; a publication is what the column says."""
    return "date captured" if answer.first_seen_basis == "captured" else ""


def _fitted(before: str, name: str, columns: int | None) -> str:
    shown = printable(name)
    if columns is not None:
        shown = shortened(shown, max(columns - columns_of(before), FEWEST_NAME_COLUMNS))
    return before + shown + "\n"
