"""Prepares a chunk of queries: reads, decodes and encodes each once, and extracts what it votes by."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from foundation.encoder import SavedEncoder
from serving.batch.pictures import Pictures
from serving.batch.prepared import Prepared
from serving.match.query import Query
from serving.search.ignored import IgnoredBank


def prepare(
    queries: Sequence[Query],
    encoder: SavedEncoder,
    *,
    with_features: bool,
    bank: IgnoredBank,
    batch_size: int,
    known: Callable[[bytes], bool],
    pool: ThreadPoolExecutor,
) -> tuple[Prepared, Pictures]:
    """Returns what is asked for a chunk of queries, and their pictures.

    `with_features` is `DescribedSnapshot.has_local_features`, `bank` what is ignored (`HiddenContents.ignored`), `pool`
    the threads of `start_decoders`. A query whose content (32 bytes) is `known` is read, and not decoded.
    The similarities are to the last bit those of a `Searcher` if all chunks but the last hold whole batches.
    """
    raise NotImplementedError
