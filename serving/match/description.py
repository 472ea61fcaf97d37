"""Says in plain English what the evidence shows: "a mirrored crop of 54 % of the photo, with a banner added below"."""

from collections.abc import Sequence

import numpy as np

from serving.match.changes import change_inside, changes, is_bent
from serving.match.evidence import Dense, Evidence
from serving.match.verdict import Verdict

# A margin of the query beside the photo, as a share of the query's side, that is worth a word.
MARGIN = 0.03
# Framed photos have margins up to this on all sides; wider ones are pages.
FRAME = 0.15
# What is added on one side is a banner up to this; more is another picture beside it, as in collages.
BANNER = 0.35
SIDES = ("above", "on the right", "below", "on the left")
GREY_SATURATION = 0.3
# A smaller share is not told as a number: it would be rounded to nothing.
LEAST_SHARE = 0.01


def describe(evidence: Evidence, verdict: Verdict) -> str:
    """Returns the evidence as one phrase without a full stop, in the words of a news desk."""
    if verdict.name == "similar":
        return "another photo that looks alike; nothing shows that one was made from the other"
    if verdict.name == "same_scene":
        return "another photograph of the same scene: what both show lies differently, as from another place or moment"
    found = changes(evidence)
    additions = [*_surroundings(evidence, found), *_inside(evidence, found)]
    return " ".join([*_kind(evidence, found), *_colour(evidence, found)]) + "".join(f", {one}" for one in additions)


def _kind(evidence: Evidence, found: Sequence[str]) -> list[str]:
    share = evidence.dense.photo_shown if evidence.dense else evidence.photo_overlap
    noun = f"crop of {_percent(share)} of the photo" if "cropped" in found else "copy of the photo"
    words = ["mirrored"] if "mirrored" in found else []
    turned = [f"turned by {abs(evidence.rotation):.0f} degrees"] if "rotated" in found else []
    size = _size(evidence) if found[0] == "resized" else []
    bent = ["seen at an angle or bent"] if "edited" in found and is_bent(evidence) else []
    return [_article([*words, noun]), *words, noun, *turned, *size, *bent]


def _article(words: Sequence[str]) -> str:
    return "an" if words[0][0] in "aeiou" else "a"


def _size(evidence: Evidence) -> list[str]:
    (width, height), (of_width, of_height) = evidence.query_size, evidence.photo_size
    return [f"at {width} × {height} pixels instead of {of_width} × {of_height}"]


def _colour(evidence: Evidence, found: Sequence[str]) -> list[str]:
    if "recoloured" not in found:
        return []
    if evidence.is_inverted:
        return ["as a negative"]
    is_grey = evidence.dense is not None and evidence.dense.saturation < GREY_SATURATION
    return ["in black and white" if is_grey else "in other colours"]


def _surroundings(evidence: Evidence, found: Sequence[str]) -> list[str]:
    if "embedded" not in found:
        return []
    margins = _margins(evidence)
    sides = [side for side, margin in zip(SIDES, margins, strict=True) if margin > MARGIN]
    if len(sides) == 1 and max(margins) < BANNER:
        return [f"with a banner added {sides[0]}"]
    if len(sides) == len(SIDES) and max(margins) < FRAME:
        return ["with a frame around it"]
    if sides in (["above", "below"], ["on the right", "on the left"]):
        return [f"with bars added {sides[0]} and {sides[1]}"]
    return [f"inside of a larger picture, of which it fills {_percent(evidence.query_overlap)}"]


def _margins(evidence: Evidence) -> list[float]:
    """Returns how far the query goes on beside the photo, as shares of its sides, in the order of `SIDES`."""
    quad = evidence.quad + 0.5
    left, top = quad.min(axis=0) / evidence.query_size
    right, bottom = 1 - quad.max(axis=0) / evidence.query_size
    return [float(top), float(right), float(bottom), float(left)]


def _inside(evidence: Evidence, found: Sequence[str]) -> list[str]:
    if evidence.dense is None or not {"overlaid", "edited"} & set(found):
        return []
    part = f"{_percent(evidence.dense.differing)} of it"
    words = {
        "covered": f"with {part} covered or changed{_where(evidence.dense)}",
        "replaced": f"with {part} replaced by what looks like a part of the photo{_where(evidence.dense)}",
        "blurred": "with its background or another part blurred",
    }
    return [words[inside]] if (inside := change_inside(evidence)) else []


def _where(dense: Dense) -> str:
    """Returns in which part of the photo the differences lie, or nothing where they are all over it."""
    rows, columns = np.nonzero(np.nan_to_num(dense.difference) > 0.5)
    if not len(rows):
        return ""
    height, width = dense.difference.shape
    places = (("top", "bottom", rows / height), ("left", "right", columns / width))
    names = [low if np.mean(at < 0.5) > 0.9 else high for low, high, at in places if abs(np.mean(at < 0.5) - 0.5) > 0.4]
    return f" ({' '.join(names)})" if names else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= LEAST_SHARE else "less than 1 %"
