"""RESULTS.md: each benchmark replaces its own section and leaves the others as they are."""

import os
import platform
import re
from datetime import datetime, timezone
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")


def machine() -> str:
    """Returns what the figures depend on: cores and processor architecture."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def write_section(title: str, body: str) -> None:
    """Writes `## title` with today's date, in place of the section of that title."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Benchmark results\n"
    section = f"## {title}\n\nMeasured {datetime.now(timezone.utc):%Y-%m-%d}. {body}\n"
    pattern = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)
    text, replaced = pattern.subn(lambda _: section + "\n", text)
    if not replaced:
        text += "\n" + section
    RESULTS.write_text(text.rstrip() + "\n", encoding="utf-8")
