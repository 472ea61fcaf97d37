"""Parameters of a Flex Template: they make the command line that a person would type, and no other."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstseen.commands import archive, template
from firstseen.commands.app import make_app
from foundation.errors import UsageError
from pipelines.encode.plan import EncodeOptions
from tests.infra.command_line import parse

NEEDED = {"archive": "gs://news/photos", "store": "gs://news/store"}


def test_every_option_has_a_parameter_or_a_reason_to_have_none():
    """A new option of a verb is decided on here."""
    for verb in template.VERBS:
        names = set(inspect.signature(getattr(archive, verb)).parameters)
        assert names - set(template.options_of(verb)) <= set(template.LEFT_OUT)


def values_of(option: template.Option) -> st.SearchStrategy[str]:
    """Values that a user may give an option, as text."""
    words = st.text("abz*.-_,:/ é", min_size=1, max_size=8).filter(lambda text: not text.startswith("-"))
    if option.choices:
        return st.sampled_from(option.choices)
    if option.is_list:
        return st.lists(words, min_size=1, max_size=3).map(template.SEPARATOR.join)
    kinds = {
        int: st.integers(0, 99).map(str),
        float: st.floats(0, 1).map(str),
        bool: st.sampled_from(["true", "false"]),
    }
    return kinds.get(option.kind, words)


def as_taken(option: template.Option, value: str) -> Any:
    """What the command line makes of a value."""
    if option.kind is bool:
        return value == "true"
    return value.split(template.SEPARATOR) if option.is_list else option.kind(value)


@pytest.mark.parametrize("verb", template.VERBS)
@settings(max_examples=25)
@given(data=st.data())
def test_what_is_given_as_a_parameter_arrives_as_an_option(verb: str, data: st.DataObject):
    """Whatever is given, every option has its value, and those that are not given their default."""
    options = template.options_of(verb)
    chosen = data.draw(st.fixed_dictionaries({}, optional={name: values_of(one) for name, one in options.items()}))
    chosen |= {name: value for name, value in NEEDED.items() if name in options and name not in chosen}
    taken_verb, taken = parse(["firstseen", *template.command_line({"verb": verb, **chosen})])
    assert taken_verb == verb
    for name, option in options.items():
        expected = as_taken(option, chosen[name]) if name in chosen else (option.default or taken[name])
        assert taken[name] == expected, name


def test_parameters_make_the_options_of_an_encode(monkeypatch: pytest.MonkeyPatch):
    """What the job is started with is what the same words start on a laptop, on Dataflow."""
    started: list[EncodeOptions] = []

    def encode(options: EncodeOptions, *_: Any) -> None:
        started.append(options)
        raise UsageError("enough")

    monkeypatch.setattr("pipelines.encode.job.encode", encode)
    parameters = {"verb": "encode", **NEEDED, "include": "*.jpg;*.png", "batch_size": "32", "accelerator": "nvidia-l4"}
    arguments = [*(f"--{name}={value}" for name, value in parameters.items()), "--runner=DataflowRunner"]
    planned = template.plan_launch([*arguments, "--project=news", "--job_name=night"])
    with pytest.raises(UsageError, match="enough"):
        make_app()(planned.words, standalone_mode=False)
    assert started == [
        EncodeOptions(
            **NEEDED,
            include=("*.jpg", "*.png"),
            batch_size=32,
            accelerator="nvidia-l4",
            runner="dataflow",
            beam_flags=["--job_name=night-work", "--project=news"],
        )
    ]


def test_the_launch_is_one_machine_and_the_work_as_many_as_were_asked_for():
    """Sizes are those of the work; where the template's own job is described stays with that job."""
    sizes = ["--max_num_workers=50", "--worker_machine_type=n2-standard-8"]
    shared = ["--project=news", "--experiments=x"]
    given = ["--verb=index", "--store=gs://news/s", "--runner=DataflowRunner", "--job_name=night"]
    planned = template.plan_launch([*given, *sizes, "--template_location=gs://news/job", *shared])
    assert planned.beam_flags == [
        "--job_name=night",
        "--template_location=gs://news/job",
        *shared,
        "--max_num_workers=1",
    ]
    assert planned.words == [
        *("index", "--store", "gs://news/s", "--runner", "dataflow", "--", "--job_name=night-work"),
        *(*sizes, *shared),
    ]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "verb is None; expected one of: encode, index, reindex"),
        ({"verb": "purge"}, "verb is 'purge'"),
        ({"verb": "index", "archive": "gs://a/b"}, "index takes no archive; expected some of: store"),
        ({"verb": "encode", "workers": "3"}, "encode takes no workers"),
    ],
)
def test_a_parameter_that_means_nothing_is_refused(parameters: dict[str, str], said: str):
    """It would be left out without a word."""
    with pytest.raises(UsageError, match=said):
        template.command_line(parameters)


def test_an_empty_parameter_is_not_given():
    """Consoles send a field that was left empty as an empty text."""
    assert template.command_line({"verb": "index", "store": "gs://a/b", "encoder": ""}) == [
        "index",
        "--store",
        "gs://a/b",
    ]


def test_a_word_without_a_value_is_refused():
    """Dataflow's launcher gives `--name=value` alone."""
    with pytest.raises(UsageError, match="received 'word'; expected --name=value"):
        template.plan_launch(["--verb=index", "word"])


def test_a_flex_template_says_in_one_line_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    """The console of the launcher is where it is read."""
    import runpy

    from tests.conftest import REPOSITORY

    monkeypatch.setattr("sys.argv", ["flex_template.py", "--verb=purge"])
    with pytest.raises(SystemExit, match="2"):
        runpy.run_path(str(Path(REPOSITORY, "infra", "dataflow", "flex_template.py")), run_name="__main__")
    assert capsys.readouterr().err == "firstseen: verb is 'purge'; expected one of: encode, index, reindex\n"
