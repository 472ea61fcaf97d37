"""Reads Terraform files as JSON, and lets Terraform itself check them without the provider, which is not to be had."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

needs_terraform = pytest.mark.skipif(not shutil.which("terraform"), reason="no terraform: see its own installer")
# A reference to an attribute of a resource; what stands before it is no part of a longer name.
_RESOURCE = re.compile(r"(?<![\w.])(google_\w+)\.(\w+)(\.\w+)?")


def read_terraform(folder: Path) -> dict[str, Any]:
    """Returns the file of a folder; a name that stands twice in one block would be lost, and fails."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), names
        return dict(pairs)

    return json.loads((folder / "main.tf.json").read_text(), object_pairs_hook=once)


def texts(block: Any) -> list[str]:
    """Returns every text in a block."""
    if isinstance(block, dict):
        return [text for value in block.values() for text in texts(value)]
    return [text for value in block for text in texts(value)] if isinstance(block, list) else [str(block)]


def references(found: dict[str, Any]) -> set[str]:
    """Returns what the expressions of a file name: variables, locals and resources."""
    expressions = [one for text in texts(found) for one in re.findall(r"\$\{(.*?)\}(?=[^}]|$)", text)]
    named = r"(?<![\w.\"])(var\.\w+|local\.\w+|google_\w+\.\w+)"
    return {name for text in expressions for name in re.findall(named, text)} | {
        _RESOURCE.fullmatch(text)[0] for text in texts(found) if _RESOURCE.fullmatch(text)
    }


def without_provider(found: dict[str, Any]) -> dict[str, Any]:
    """Returns the same file with Terraform's own kind of resource in the place of Google's: same expressions."""

    def renamed(block: Any) -> Any:
        if isinstance(block, dict):
            return {name: renamed(value) for name, value in block.items()}
        if isinstance(block, list):
            return [renamed(value) for value in block]
        if not isinstance(block, str):
            return block
        return _RESOURCE.sub(lambda one: f"terraform_data.{one[1]}-{one[2]}" + (".id" if one[3] else ""), block)

    own = {}
    for kind, resources in found["resource"].items():
        for name, body in resources.items():
            meta = {key: renamed(body[key]) for key in ("for_each", "depends_on") if key in body}
            own[f"{kind}-{name}"] = meta | {
                "input": renamed({key: value for key, value in body.items() if key not in meta})
            }
    kept = {key: renamed(found[key]) for key in ("variable", "locals") if key in found}
    return {**kept, "resource": {"terraform_data": own}}


def run_terraform(folder: Path, *words: str) -> str:
    """Returns what Terraform says of a folder, or fails with it; it asks nobody."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "CHECKPOINT_DISABLE": "1"}
    done = subprocess.run(
        ["terraform", f"-chdir={folder}", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
