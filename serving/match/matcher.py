"""Looks photos up: views → candidates → verdict → first seen, a batch at a time."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

import numpy as np

from foundation.encoder import SavedEncoder
from foundation.photos.decode_ahead import decode_ahead, start_decoders
from foundation.photos.local_features import LONGEST_SIDE
from foundation.store.occurrences import first_seen
from serving.match.candidates import Candidate, find_candidates
from serving.match.match import Match, Outcome
from serving.match.options import MatchOptions
from serving.match.query import Query
from serving.match.verdict import judge_unverified
from serving.match.views import View, view
from serving.search.snapshot import OpenSnapshot


class Matcher:
    """Looks batches of queries up in one snapshot, with the encoder that it names; `close` ends its threads."""

    def __init__(self, opened: OpenSnapshot, encoder: SavedEncoder, options: MatchOptions):
        self._opened = opened
        self._encoder = encoder
        self._options = options
        self._pool = start_decoders()

    def close(self) -> None:
        """Ends the decoder threads; queries that nobody waits for are dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def match_all(self, queries: Iterable[Query]) -> Generator[Outcome, None, None]:
        """Yields what each query came to, in order; holds two batches of small squares at a time.

        One batch is decoded while the one before it is encoded and searched.
        """
        # Decoding is slower than model and search: with two batches in the hands of the threads, none of them waits for
        # these. Queries are read as answers are taken, so that a list of a million is never in memory.
        size = self._options.batch_size
        # The squares of a JPEG differ a little between the two ways to decode it: see `foundation.photos.photo`.
        frame_side = LONGEST_SIDE if self._opened.has_local_features else None
        decode = partial(view, spec=self._encoder.spec, frame_side=frame_side)
        views: Iterator[View] = decode_ahead(queries, decode, pool=self._pool, ahead=2 * size)
        while batch := list(islice(views, size)):
            yield from self._match(batch)

    def _match(self, views: Sequence[View]) -> Iterator[Outcome]:
        # Only what could be decoded goes through the model, as one batch; answers come in the order of the questions.
        photos = [one.photo for one in views if one.photo]
        candidates: Iterator[list[Candidate]] = iter(())
        if photos:
            vectors = self._encoder.encode(np.stack([photo.pixels for photo in photos]))
            candidates = iter(find_candidates(self._opened, photos, vectors, self._options.top_k))
        for one in views:
            if one.photo:
                yield self._outcome(one, next(candidates))
            else:
                yield Outcome(one.query.name, "rejected", one.rejection)

    def _outcome(self, asked: View, candidates: Sequence[Candidate]) -> Outcome:
        name, least = asked.query.name, self._options.min_score
        is_known = any(candidate.is_identical for candidate in candidates)
        # A flat photo is near every other flat one, which says nothing. Its bytes, if the archive has them, still do.
        if asked.is_blank and not is_known:
            return Outcome(name, "not_matchable", "blank: the photo is one flat colour; expected a scene")
        matches = [self._match_of(candidate) for candidate in candidates]
        good = [match for match in matches if match.verdict.score >= least]
        return (
            Outcome(name, "matched", matches=good)
            if good
            else Outcome(name, "no_match", f"no photo scores {least} or more")
        )

    def _match_of(self, candidate: Candidate) -> Match:
        rows = [self._opened.photo(place) for place in candidate.places]
        seen = first_seen(rows)
        # Of several segments that hold the content, the one with its first place speaks for it.
        place, photo = min(zip(candidate.places, rows, strict=True), key=lambda pair: pair[1]["uri"] != seen.uri)
        return Match(photo, place, candidate, judge_unverified(candidate, self._encoder.spec.distance), seen)
