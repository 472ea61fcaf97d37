"""Prepares a chunk of queries: reads, decodes and encodes each once, and extracts what it votes by."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from foundation.encoder import SavedEncoder
from foundation.errors import FirstseenError
from foundation.photos.decode_ahead import decode_ahead
from foundation.photos.rejects import PhotoError
from foundation.store.encoders import EncoderSpec
from serving.batch.pictures import Pictures, encode_picture
from serving.batch.prepared import Asked, Features, Prepared
from serving.match.decoded_query import DecodedQuery, decode_query, rejected
from serving.match.ignored import look_past, outcome_of_ignored
from serving.match.match import Outcome
from serving.match.query import Query
from serving.search.ignored import IgnoredBank

Known = Callable[[bytes], bool]
Call = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class _Decoded:
    """A query on its way to the model, its picture compressed; `seen` is an outcome if it is an ignored photo."""

    query: DecodedQuery
    picture: bytes | None
    seen: Features | Outcome | None


def prepare(
    queries: Sequence[Query],
    encoder: SavedEncoder,
    *,
    with_features: bool,
    bank: IgnoredBank,
    batch_size: int,
    known: Known,
    pool: ThreadPoolExecutor,
    call: Call = lambda function, *arguments: function(*arguments),
) -> tuple[Prepared, Pictures]:
    """Returns what is asked for a chunk of queries, and their pictures.

    `with_features` is `DescribedSnapshot.has_local_features`, `bank` what is ignored (`HiddenContents.ignored`), `pool`
    that of `MatchThreads`; `batch_size` is the encoder's, too. A query whose content (32 bytes) is `known` is read, and
    not decoded. `call` calls a function, for decoders in processes of their own: one that dies costs one photo.

    On a CPU the vectors are those of a `Searcher` to the last bit, whatever is known. Other models may round by what is
    in a batch: these have the same if all chunks but the last hold whole batches. Memory is that of the compressed
    pictures, 0.15 to 0.4 MB each, and of two batches of pixels.
    """
    decode = partial(_decode, spec=encoder.spec, with_features=with_features, bank=bank, known=known, call=call)
    decoded = enumerate(decode_ahead(queries, decode, pool=pool, ahead=2 * batch_size))
    outcomes: dict[int, Outcome] = {}
    met: dict[int, bytes] = {}
    asked: list[Asked] = []
    pictures: dict[int, bytes] = {}
    while batch := list(islice(decoded, batch_size)):
        outcomes |= {number: one for number, one in batch if isinstance(one, Outcome)}
        met |= {number: one for number, one in batch if isinstance(one, bytes)}
        usable = {number: one for number, one in batch if isinstance(one, _Decoded)}
        outcomes |= {number: one.seen for number, one in usable.items() if isinstance(one.seen, Outcome)}
        pictures |= {number: one.picture for number, one in usable.items() if one.picture and number not in outcomes}
        asked += _asked(usable, encoder, batch[0][0] // batch_size)
    return Prepared([query.name for query in queries], outcomes, met, asked), Pictures(pictures)


def seen_past(bank: IgnoredBank, query: DecodedQuery) -> Features | Outcome | None:
    """Returns the features of a query and where they count, or its outcome if it is an ignored photo.

    None where the archive keeps no features.
    """
    seen = look_past(bank, query, query.pictured)
    if seen.ignored:
        return outcome_of_ignored(query.name, seen.ignored)
    if query.pictured is None or seen.pictured is None:
        return None
    return Features(query.pictured.local_features, seen.pictured.unusable)


def _decode(
    query: Query, spec: EncoderSpec, *, with_features: bool, bank: IgnoredBank, known: Known, call: Call
) -> _Decoded | Outcome | bytes:
    """Returns a decoded query; the outcome of one that cannot be used, and the content of one that is known."""
    try:
        data = query.read()
    except (FirstseenError, OSError) as error:
        return rejected(query.name, error)
    content = hashlib.sha256(data).digest()
    if known(content):
        return content
    decoding = partial(decode_query, spec=spec, with_features=with_features)
    try:
        decoded = call(decoding, Query(query.name, partial(bytes, data)))
    except PhotoError as error:  # of the process that decoded it
        return rejected(query.name, error)
    if isinstance(decoded, Outcome):
        return decoded
    seen = seen_past(bank, decoded)
    picture = encode_picture(decoded.pictured.picture) if decoded.pictured else None
    return _Decoded(decoded, picture, seen)


def _asked(decoded: dict[int, _Decoded], encoder: SavedEncoder, batch: int) -> list[Asked]:
    """Returns what is asked for a batch of queries, their vectors by one call of the model."""
    if not decoded:
        return []
    vectors = encoder.encode(np.stack([one.query.photo.pixels for one in decoded.values()]))
    return [
        Asked(
            number=number,
            batch=batch,
            content=one.query.photo.content_sha256,
            size=(one.query.photo.width, one.query.photo.height),
            is_blank=one.query.is_blank,
            is_simple=one.query.is_simple,
            vector=vector,
            features=None if isinstance(one.seen, Outcome) else one.seen,
        )
        for (number, one), vector in zip(decoded.items(), vectors, strict=True)
    ]
