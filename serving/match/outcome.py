"""Sums up what a query came to: its copies, dated and in order, and what is only similar where that is asked for."""

from collections.abc import Sequence

from serving.match.decoded_query import DecodedQuery
from serving.match.first_seen import first_seen_by_part
from serving.match.footprint import Size
from serving.match.match import Match, Outcome
from serving.match.options import MatchOptions

BLANK = "blank: the photo is one flat colour; expected a scene"
TOO_SIMPLE = "too simple: the photo shows hardly anything that tells it from others; expected a scene"
NOT_IN_ARCHIVE = "not in this archive: no photo of it is a source of this one"


def outcome_of(asked: DecodedQuery, matches: Sequence[Match], options: MatchOptions, *, is_proved: bool) -> Outcome:
    """Returns the outcome of a query that could be decoded, with the matches that its candidates came to.

    `is_proved` says that the archive keeps what pixels are compared by: only copies are matches then.
    """
    name = asked.name
    good = sorted((match for match in matches if match.verdict.score >= options.min_score), key=_order)
    copies = [match for match in good if match.is_copy]
    # A flat photo is near every other flat one, which says nothing. Its bytes, if the archive has them, still do.
    if asked.is_blank and not copies:
        return Outcome(name, "not_matchable", BLANK)
    listed = good if options.similar or not is_proved else copies
    dated = first_seen_by_part(listed[: options.top_k], Size(asked.photo.width, asked.photo.height))
    if copies or (dated and not is_proved):
        return Outcome(name, "matched", matches=dated)
    if not is_proved:
        return Outcome(name, "no_match", f"no photo scores {options.min_score} or more")
    # The archive does hold a source of the query, which was asked to be left out: to deny it would be wrong.
    if any(match.is_copy for match in matches):
        return Outcome(name, "no_match", f"no copy scores {options.min_score} or more", dated)
    if asked.is_simple:
        return Outcome(name, "not_matchable", TOO_SIMPLE, dated)
    return Outcome(name, "no_match", NOT_IN_ARCHIVE, dated)


def _order(match: Match) -> tuple[bool, bool, float]:
    """Returns what matches are sorted by: copies first, the same bytes before them, and who explains most of the query.

    Several photos of an archive may be sources of a query, and be as sure as each other: the whole photo comes before
    another one that holds a part of it.
    """
    shown = match.evidence.query_overlap if match.evidence and match.is_copy else 1.0
    return not match.is_copy, match.verdict.name != "identical", -match.verdict.score * shown
