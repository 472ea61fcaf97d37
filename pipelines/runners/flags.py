"""Checks Beam's own flags before a run: Beam itself drops an unknown one with a warning."""

import argparse
from contextlib import suppress
from typing import Any, NoReturn

from apache_beam.options.pipeline_options import PipelineOptions

from foundation.errors import UsageError

# What people write to leave something off.
NO = ("false", "no", "off", "0", "none")


def check_flags(beam_flags: list[str]) -> None:
    """Raises UsageError naming the flags that no Beam option class takes, the value one refuses, or takes amiss."""
    # Each option class of Beam reads the flags anew and passes over those of the others, a misspelt one included. Only
    # all classes in one strict parser tell what none of them knows.
    parser = _Parser(prog="beam", allow_abbrev=False, add_help=False)
    for options in _subclasses(PipelineOptions):
        if "_add_argparse_args" in vars(options):
            _add_known(parser, options)
    known, unknown = parser.parse_known_args(beam_flags)
    if unknown:
        raise UsageError(f"Beam does not know {' '.join(unknown)}; expected its pipeline options after `--`")
    # The pipeline is given its runner outright: Beam would pass over this one without a word.
    if known.runner:
        raise UsageError(f"runner {known.runner!r} is named after `--`; expected firstseen's own --runner before it")
    # Beam takes any text for yes, and would run nothing.
    if known.dry_run and str(known.dry_run).lower() in NO:
        raise UsageError(
            f"Beam takes --dry_run={known.dry_run} for yes; expected no --dry_run at all for a job that is to run, or "
            "--dry_run=True"
        )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"Beam refuses a flag: {message}")


def _add_known(parser: Any, options: type[PipelineOptions]) -> None:
    # Two classes of Beam define the same flag: the first definition is enough to know it.
    with suppress(argparse.ArgumentError):
        options._add_argparse_args(parser)


def _subclasses(kind: type) -> list[type]:
    direct: list[type] = kind.__subclasses__()
    return [*direct, *(below for one in direct for below in _subclasses(one))]
