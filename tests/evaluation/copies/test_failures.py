"""The sheet of failures shows the worst of those that may be shown, and nothing else."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.copies import failures
from evaluation.copies.answered import Answered, Found
from evaluation.copies.measure import Asked
from evaluation.copies.photos import list_photos
from evaluation.copies.plan import CopiesOptions, CopyQuery, Plan, make_plan
from tests.photos import write_archive


def asked(right: str | None, *found: Found) -> Asked:
    """Returns a query that may be shown, with its answers."""
    verdict = "recoloured" if right else None
    query = CopyQuery(group="shown", kind="grey", source=right or "n", right=right, verdict=verdict)
    return query, Answered("matched", found)


def test_a_wrong_photo_is_worse_than_a_wrong_verdict():
    """The surer the wrong answer the worse; a right one is no failure, nor a stranger that nothing was found for."""
    in_order = [
        asked("a", Found("b", 0.9, "cropped")),
        asked("a", Found("b", 0.2, "similar")),
        asked("a"),
        asked("a", Found("a", 0.3, "similar")),
        asked("a", Found("a", 0.9, "cropped")),
        asked("a", Found("a", 0.9, "recoloured")),
    ]
    badness = [failures.badness(*one) for one in in_order]
    assert badness == sorted(badness)
    assert badness[-1] == 0 > badness[-2]
    assert failures.badness(*asked(None, Found("b", 0.4))) == 0
    assert failures.badness(*asked(None, Found("b", 0.6))) < -2


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan with photos that may be shown, and others."""
    write_archive(tmp_path / "photos", photos=20)
    write_archive(tmp_path / "free", photos=4, first_seed=50)
    parts = [list_photos(tmp_path / name, tell=lambda _: None) for name in ("photos", "free")]
    options = CopiesOptions(photos="photos", negatives=8, per_kind=2)
    return make_plan(options, parts[0], {"grey": lambda _: "recoloured"}, shown=parts[1])


def test_only_what_may_be_shown_is_drawn(plan: Plan):
    """A failure that is not of the shown photos gives no sheet; one of them is drawn once for each kind."""
    paths = {query: Path(plan.photos[query.source].uri.removeprefix("file://")) for query in plan.queries}
    wrong = Answered("matched", [Found(plan.archive[0].key, 0.9, "cropped")])
    secret = [(query, wrong) for query in plan.queries if query.group == "copy"]
    assert failures.draw(secret, plan, paths) == []
    edited = [(query, wrong) for query in plan.queries if query.group == "shown" and query.kind == "grey"]
    (picture,) = failures.draw([*secret, *edited], plan, paths)
    assert len(edited) == 2
    assert picture.alt.startswith("1 wrong answers")
    right = [(query, Answered("matched", [Found(query.right or "", 0.9, "recoloured")])) for query, _ in edited]
    assert failures.draw(right, plan, paths) == []


def test_an_answer_that_may_not_be_shown_is_said_in_words(plan: Plan):
    """The sheet has one photo less than with an answer that may be shown."""
    paths = {query: Path(plan.photos[query.source].uri.removeprefix("file://")) for query in plan.queries}
    query = next(one for one in plan.queries if one.group == "shown" and one.kind == "grey")
    free = next(one.key for one in plan.archive if one.key in plan.shown and one.key != query.right)
    secret = next(one.key for one in plan.archive if one.key not in plan.shown)
    sheets = []
    for key in (free, secret):
        (picture,) = failures.draw([(query, Answered("matched", [Found(key, 0.9, "cropped")]))], plan, paths)
        sheets.append(np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGB")))
    has_photo = [bool((sheet[60:120, -100:-40] != 255).any()) for sheet in sheets]
    assert has_photo == [True, False]
