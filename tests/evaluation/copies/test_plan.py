"""Photos are split by content: into parts that share none, the same for the same photos."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.copies.photos import SourcePhoto
from evaluation.copies.plan import CopiesOptions, Plan, make_plan, partners_of, seed_of, shuffled
from foundation.errors import InputNotFoundError, UsageError

VERDICTS = {"grey": lambda _seed: "recoloured", "chain_of_2": lambda seed: "edited" if seed % 2 else "cropped"}


def photos(count: int, *, prefix: str = "", folders: int = 1) -> list[SourcePhoto]:
    """Returns made photos in so many folders."""
    return [SourcePhoto(f"{prefix}{n:04d}", f"file:///{prefix}{n}", ".jpg", f"{n % folders}") for n in range(count)]


def plan_of(count: int = 60, **changes) -> Plan:
    """Returns the plan of so many photos."""
    options = {"photos": "photos", "per_kind": 5, "negatives": 20, "kinds": (), "seed": 0}
    parts = {part: changes.pop(part) for part in ("scenes", "made", "shown") if part in changes}
    return make_plan(CopiesOptions(**{**options, **changes}), photos(count), VERDICTS, **parts)


def parts_played(plan: Plan) -> dict[str, int]:
    """Returns how many parts each photo plays."""
    parts = [plan.archive, plan.negatives, plan.scenes, plan.made, plan.shown_partners]
    return Counter(one.key for part in parts for one in part)


def test_each_photo_plays_one_part():
    """No negative is in the archive, and only photos of the archive are edited."""
    original, *made = photos(4, prefix="m")
    plan = plan_of(
        scenes=photos(9, prefix="s", folders=3), made=dict.fromkeys(made, original), shown=photos(6, prefix="f")
    )
    counts = parts_played(plan)
    assert set(counts.values()) == {1}
    assert counts.keys() == plan.photos.keys()
    assert len(counts) == 60 + 9 + 4 + 6
    held = {one.key for one in plan.archive}
    assert all(query.right in held for query in plan.queries if query.right)
    assert all(held.issuperset(query.scene) for query in plan.queries)
    assert not held & {query.source for query in plan.queries if query.group in ("negative", "scene", "made")}


def test_each_kind_asks_photos_of_its_own():
    """So many queries of each kind, all with their verdicts, and names that differ."""
    plan = plan_of()
    copies = [query for query in plan.queries if query.group == "copy"]
    assert Counter(query.kind for query in copies) == {"grey": 5, "chain_of_2": 5}
    grey, chain = ({query.source for query in copies if query.kind == kind} for kind in VERDICTS)
    assert grey != chain
    assert {query.verdict for query in copies if query.kind == "grey"} == {"recoloured"}
    assert len({query.name for query in plan.queries}) == len(plan.queries)


def test_the_same_photos_give_the_same_plan_in_any_order():
    """Neither the order of the listing nor another run changes anything; another seed does."""
    options = CopiesOptions(photos="photos", per_kind=5, negatives=20)
    forwards = make_plan(options, photos(60), VERDICTS)
    backwards = make_plan(options, photos(60)[::-1], VERDICTS)
    assert forwards.queries == backwards.queries
    assert forwards.digest == backwards.digest
    assert plan_of(seed=1).digest != plan_of().digest


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(20, 90), st.integers(8, 200), st.integers(0, 5))
def test_at_most_half_of_the_photos_are_negatives(count: int, negatives: int, seed: int):
    """Whatever is asked for, something is left to be found."""
    plan = plan_of(count, negatives=negatives, seed=seed)
    assert len(plan.negatives) == min(negatives, count // 2)
    assert len(plan.archive) + len(plan.negatives) == count


def test_a_scene_has_every_second_photo_in_the_archive():
    """Its others are asked, each with the photos that it must not be taken for; a scene of one photo is none."""
    lonely = SourcePhoto("lonely", "file:///lonely", ".jpg", "alone")
    plan = plan_of(scenes=[*photos(14, prefix="s", folders=3), lonely])
    asked = [query for query in plan.queries if query.group == "scene"]
    # Two scenes have five photos, one has four.
    assert Counter(len(query.scene) for query in asked) == {3: 4, 2: 2}
    assert len({key for query in asked for key in query.scene}) == 8
    assert all(int(query.source[1:]) % 3 == int(key[1:]) % 3 for query in asked for key in query.scene)
    assert all(query.verdict is None and query.right is None for query in asked)
    assert "lonely" not in plan.photos


def test_what_others_made_is_asked_as_it_is():
    """Each is to be found by its original, which lies in the archive once; nobody knows which verdict is right."""
    first, second, *made = photos(5, prefix="m")
    plan = plan_of(made={made[0]: first, made[1]: first, made[2]: second})
    asked = [query for query in plan.queries if query.group == "made"]
    assert {query.source: query.right for query in asked} == {"m0002": "m0000", "m0003": "m0000", "m0004": "m0001"}
    assert all(query.is_file and query.verdict is None for query in asked)
    # Where edits and originals are among the other photos too, they play this part alone.
    listed = photos(60)
    among = plan_of(made=dict(zip(listed[:15], listed[15:30], strict=True)))
    assert parts_played(among) == dict.fromkeys((one.key for one in listed), 1)


@pytest.mark.parametrize(("kinds", "edits"), [((), 2), (("grey",), 1)])
def test_negatives_are_asked_edited_too(kinds: tuple[str, ...], edits: int):
    """Each as it is and after edits of different kinds, all kinds equally often; none has a photo to find."""
    plan = plan_of(kinds=kinds)
    asked = [query for query in plan.queries if query.group == "negative"]
    assert {(query.right, query.verdict) for query in asked} == {(None, None)}
    assert Counter(query.source for query in asked) == {one.key: 1 + edits for one in plan.negatives}
    assert Counter(query.kind for query in asked) == dict.fromkeys(("unedited", *(kinds or VERDICTS)), 20)


def test_kinds_take_turns_at_negatives():
    """Three kinds for twenty negatives: no two of a photo are one, and none is drawn twice more than another."""
    kinds = dict.fromkeys(("a", "b", "c"), lambda _: "edited")
    options = [CopiesOptions(photos="photos", negatives=20, per_kind=1, seed=seed) for seed in range(6)]
    drawn = [make_plan(one, photos(60), kinds).queries for one in options]
    edited = [[query for query in queries if query.group == "negative" and query.kind in kinds] for queries in drawn]
    assert all(sorted(Counter(query.kind for query in queries).values()) == [13, 13, 14] for queries in edited)
    assert all(len({query.name for query in queries}) == 40 for queries in edited)
    # The seed decides which kind begins.
    assert len({queries[0].kind for queries in edited}) > 1


def test_collages_are_made_of_photos_that_are_in_no_archive():
    """A partner in the archive would be a second right answer."""
    plan = plan_of(shown=photos(6, prefix="f"))
    held = {one.key for one in plan.archive}
    for query in plan.queries:
        partners = {one.key for one in partners_of(query, plan, 0)}
        assert not partners & held
        assert (partners <= plan.shown) == (query.group == "shown")


def test_seeds_are_no_small_numbers():
    """A training seeds its edits with small numbers: none of these ever meets one."""
    seeds = [seed_of(0, name) for name in map(str, range(100))]
    assert len(set(seeds)) == 100
    assert min(seeds) > 2**64


def test_another_photo_does_not_change_the_order_of_the_rest():
    """A photo more moves none of the others to another place among them."""
    before, after = shuffled(photos(20), 0, "split"), shuffled(photos(21), 0, "split")
    assert [one for one in after if one.key != "0020"] == before


def test_too_few_photos_are_refused():
    """Collages of nine need eight photos that are in no archive."""
    with pytest.raises(InputNotFoundError, match="15 photos in photos; expected at least 16"):
        plan_of(15)


def test_an_unknown_kind_is_answered_with_those_there_are():
    """A misspelt kind would silently measure nothing."""
    with pytest.raises(UsageError, match="--kind is 'gray'; expected one of: grey, chain_of_2"):
        plan_of(kinds=("gray",))


@pytest.mark.parametrize(("option", "flag"), [("per_kind", "--per-kind"), ("negatives", "--negatives")])
def test_impossible_numbers_are_refused(option: str, flag: str):
    """The message names the flag."""
    with pytest.raises(UsageError, match=f"{flag} is 0"):
        CopiesOptions(photos="photos", scenes=Path("scenes"), **{option: 0})
