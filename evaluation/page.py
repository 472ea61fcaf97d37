"""Writes a page as Markdown, as HTML that stands alone but for its pictures, and the pictures beside them."""

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markdown_it import MarkdownIt

from foundation.files import replace_file

MARKDOWN, HTML = "README.md", "index.html"
_PICTURE_OF_A_PAGE = re.compile(r"!\[[^\]]*\]\(([\w-]+\.png)\)")


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, words: int) -> str:
    """Returns a table whose first `words` columns are aligned left and the others, numbers, right."""
    ruler = ["---" if column < words else "---:" for column in range(len(headings))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (headings, ruler, *rows))


def write_files(output: Path, *, title: str, text: str, pictures: Mapping[str, bytes]) -> None:
    """Writes `README.md`, `index.html` and the PNG files, given by name, into `output`.

    Each file is replaced as a whole; pictures that only the previous page showed are removed.
    """
    output.mkdir(parents=True, exist_ok=True)
    previous = output / MARKDOWN
    shown_before = set(_PICTURE_OF_A_PAGE.findall(previous.read_text("utf-8"))) if previous.exists() else set()
    for name, png in pictures.items():
        replace_file(output / name, png)
    replace_file(output / MARKDOWN, text.encode())
    replace_file(output / HTML, _html(title, text).encode())
    for name in sorted(shown_before - set(_PICTURE_OF_A_PAGE.findall(text))):
        (output / name).unlink(missing_ok=True)


def environment(package: str) -> Environment:
    """Returns the templates of a package; parts of a Markdown template that are left out leave empty lines behind."""
    return Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def without_empty_parts(text: str) -> str:
    """Returns the text of a template with one empty line where parts that were left out left several."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _html(title: str, markdown: str) -> str:
    """Returns the page as HTML; headings have the ids GitHub gives them."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    state: dict = {}
    tokens = renderer.parse(markdown, state)
    for heading, words in itertools.pairwise(tokens):
        if heading.type == "heading_open":  # the words of a heading are the token behind its opening
            heading.attrSet("id", re.sub(r"[^\w\- ]", "", words.content.lower()).replace(" ", "-"))
    body = renderer.renderer.render(tokens, renderer.options, state)
    return environment("evaluation").get_template("page.html").render(title=title, body=body)
