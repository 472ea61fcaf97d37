"""Writes metadata.json, the parameters of the Flex Template, from the options of the verbs; a test compares.

python -m infra.dataflow.metadata
"""

import json
from pathlib import Path
from typing import Any

from firstseen.commands.template import SEPARATOR, VERBS, options_of

METADATA = Path(__file__).with_name("metadata.json")
# What workers and launcher can reach alike.
PLACES = {"archive": r"^gs://[^/]+/.+$", "store": r"^gs://[^/]+(/.*)?$"}
KINDS = {int: r"^[0-9]+$", float: r"^[0-9]*\.?[0-9]+$", bool: "^(true|false)$"}


def metadata() -> dict[str, Any]:
    """Returns the description of the template as Dataflow reads it."""
    verb = {
        "name": "verb",
        "label": "Verb",
        "helpText": "encode: photos into embeddings. index: embeddings into what answers. reindex: both.",
        "regexes": [f"^({'|'.join(VERBS)})$"],
    }
    image = {
        "name": "sdk_container_image",
        "label": "Image of the workers",
        "helpText": "The image that this template is of, by digest: the workers of the jobs run it, too.",
        "regexes": ["^[^@]+@sha256:[0-9a-f]{64}$"],
    }
    names = dict.fromkeys(name for one in VERBS for name in options_of(one))
    return {
        "name": "firstseen",
        "description": "Takes a photo archive into a store of firstseen: encodes it, builds segments, publishes them.",
        "parameters": [verb, *(parameter(name) for name in names), image],
    }


def parameter(name: str) -> dict[str, Any]:
    """Returns the parameter for an option, which the verbs that have it define alike."""
    verbs = [verb for verb in VERBS if name in options_of(verb)]
    option = options_of(verbs[0])[name]
    words = [option.help]
    if option.is_list:
        words.append(f"Several with {SEPARATOR} between them.")
    # Not as a default of the parameter: consoles fill that in, and a verb without the option would be given it.
    if option.default not in (None, False):
        words.append(f"Default: {option.default}.")
    if len(verbs) < len(VERBS):
        words.append(f"For {' and '.join(verbs)}.")
    found = {"name": name, "label": name.replace("_", " ").capitalize(), "helpText": " ".join(words)}
    if len(verbs) < len(VERBS) or not option.is_required:
        found["isOptional"] = True
    if pattern := f"^({'|'.join(option.choices)})$" if option.choices else PLACES.get(name) or KINDS.get(option.kind):
        found["regexes"] = [pattern]
    return found


def text() -> str:
    """Returns the file."""
    return json.dumps(metadata(), indent=2) + "\n"


if __name__ == "__main__":
    METADATA.write_text(text(), encoding="utf-8")
