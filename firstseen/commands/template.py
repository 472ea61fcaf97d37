"""Turns the parameters of a Dataflow Flex Template into the command line that people type, and says which there are.

The parameters are the options of the verbs themselves, so that a launcher can do what a laptop can, and no other thing.
"""

import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo

from firstseen.commands import archive
from foundation.errors import UsageError
from pipelines.runners.names import DATAFLOW

VERBS = ("encode", "index", "reindex")
# The options that a template has no parameter for, and why.
LEFT_OUT = {
    "runner": "it is dataflow",
    "flink_master": "it is of another runner",
    "workers": "they are processes of the local runner; Dataflow has its own parameter for its machines",
    "beam_flags": "Dataflow hands Beam's flags to the launcher itself",
    "catalog": "the file lies on the machine of whoever asks",
    "data_dir": "the folder lies on the machine of whoever asks",
    "metrics_file": "it is read on the machine where it is written",
    "watch_output": "it is read on the machine where it is written",
    "dry_run": "its answer is for whoever asked",
}
# Between the values of an option that may be given several times: patterns have commas, and so has gcloud's own list.
SEPARATOR = ";"
# Flags by which Dataflow makes a job of the launcher's graph. The command that this job runs makes jobs of its own.
OF_THE_LAUNCH = ("runner", "job_name", "template_location")
# Flags that say how many machines the work takes, and which; the command itself takes one.
OF_THE_WORK = ("num_workers", "max_num_workers", "machine_type", "worker_machine_type", "autoscaling_algorithm")


class Option(NamedTuple):
    """An option of a verb: its flag, None for an argument, and what it takes, one of `choices` if there are any."""

    flag: str | None
    help: str
    kind: type
    choices: tuple[str, ...]
    is_list: bool
    is_required: bool
    default: Any


class Launch(NamedTuple):
    """What a template's launcher starts: the words of the command, and Beam's flags of the job that runs it."""

    words: list[str]
    beam_flags: list[str]


@cache
def options_of(verb: str) -> dict[str, Option]:
    """Returns the options of a verb that have a parameter, by name, as the verb itself defines them."""
    function = getattr(archive, verb)
    hints = get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters.items()
    return {name: _option(name, hints[name], one.default) for name, one in parameters if name not in LEFT_OUT}


def _option(name: str, annotation: Any, default: Any) -> Option:
    taken, info = get_args(annotation)[:2]
    if NoneType in get_args(taken):
        (taken,) = (one for one in get_args(taken) if one is not NoneType)
    choices = get_args(taken) if get_origin(taken) is Literal else ()
    is_list = get_origin(taken) is list
    flag = next(iter(info.param_decls or ()), f"--{name.replace('_', '-')}")
    return Option(
        flag=None if isinstance(info, ArgumentInfo) else flag,
        help=" ".join((info.help or "").split()),
        kind=str if choices or is_list else taken,
        choices=choices,
        is_list=is_list,
        is_required=default is inspect.Parameter.empty,
        default=None if default is inspect.Parameter.empty else default,
    )


def plan_launch(arguments: Sequence[str]) -> Launch:
    """Returns what to start for what Dataflow's launcher gives this program: `--name=value` for every parameter.

    Raises UsageError for a word that is none, and for a verb that there is not.
    """
    given: dict[str, str] = {}
    flags: list[str] = []
    named = {"verb", *(name for verb in VERBS for name in options_of(verb))}
    for word in arguments:
        name, equals, value = word.removeprefix("--").partition("=")
        if name in named and equals:
            given[name] = value
        elif word.startswith("--"):
            flags.append(word)
        else:
            raise UsageError(
                f"the launcher received {word!r}; expected --name=value for each parameter of the template"
            )
    job_name = next((flag.partition("=")[2] for flag in flags if _name(flag) == "job_name"), "firstseen")
    of_the_work = [flag for flag in flags if _name(flag) not in OF_THE_LAUNCH]
    return Launch(
        [*command_line(given), "--runner", DATAFLOW, "--", f"--job_name={job_name}-work", *of_the_work],
        [*(flag for flag in flags if _name(flag) not in ("runner", *OF_THE_WORK)), "--max_num_workers=1"],
    )


def command_line(parameters: Mapping[str, str]) -> list[str]:
    """Returns the words after `firstseen` for the parameters of a template by name; one without a value is not given.

    Raises UsageError for a verb that there is not, and for a parameter that is no option of it.
    """
    given = {name: value for name, value in parameters.items() if value}
    verb = given.pop("verb", None)
    if verb not in VERBS:
        raise UsageError(f"verb is {verb!r}; expected one of: {', '.join(VERBS)}")
    options = options_of(verb)
    if unknown := [name for name in given if name not in options]:
        raise UsageError(f"{verb} takes no {unknown[0]}; expected some of: {', '.join(options)}")
    return [verb, *(word for name, value in given.items() for word in _words(options[name], value))]


def _words(option: Option, value: str) -> list[str]:
    if option.flag is None:
        return [value]
    if option.kind is bool:
        return [option.flag] if value == "true" else []
    return [word for one in (value.split(SEPARATOR) if option.is_list else [value]) for word in (option.flag, one)]


def _name(flag: str) -> str:
    return flag.removeprefix("--").partition("=")[0]
