"""Writes answers as a table for people: the name of a query, then one line per match, as soon as they are known.

The columns are fixed and names stand last, so that no line waits for a longer name to come, and ten thousand answers
need no more memory than one.
"""

import shutil
from collections.abc import Iterable
from typing import IO

from serving.answers import Answer
from serving.output.display import columns_of, padded, printable, shortened

# The longest verdicts have ten letters: recoloured, same_scene.
VERDICT_COLUMNS = 10
# A name is not cut below this: in a narrow terminal its line is folded instead, since `…jpg` would say nothing.
FEWEST_NAME_COLUMNS = 24
HEADER = f"  {'verdict':{VERDICT_COLUMNS}}  rank  score  first seen  copies  photo"


def write_table(answers: Iterable[list[Answer]], file: IO[str]) -> None:
    """Writes a header and a block per query; without a match its only line holds the status and the reason.

    On a terminal a name too long for its line loses its middle. Files and pipes get every name whole.
    """
    columns = shutil.get_terminal_size().columns if file.isatty() else None
    file.write(HEADER + "\n")
    for one_query in answers:
        file.write("\n" + _fitted("", one_query[0].query, columns))
        file.writelines(_line(answer, columns) for answer in one_query)


def _line(answer: Answer, columns: int | None) -> str:
    if answer.rank is None:
        # A reason is never cut: it says what to do.
        return f"  {answer.status:{VERDICT_COLUMNS}}  {printable(answer.reason or '')}".rstrip() + "\n"
    seen = f"{answer.first_seen_at:%Y-%m-%d}" if answer.first_seen_at else "unknown"
    verdict = padded(printable(answer.verdict or ""), VERDICT_COLUMNS)
    figures = f"  {verdict}  {answer.rank:4}  {answer.score:5.3f}  {seen:10}  {answer.occurrences:6}  "
    return _fitted(figures, answer.photo_id or "", columns)


def _fitted(before: str, name: str, columns: int | None) -> str:
    shown = printable(name)
    if columns is not None:
        shown = shortened(shown, max(columns - columns_of(before), FEWEST_NAME_COLUMNS))
    return before + shown + "\n"
