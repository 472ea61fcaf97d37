"""Asks for what is near to an embedding, where there is no photo: everything that is found is `similar`."""

from dataclasses import dataclass, replace

import numpy as np

from foundation.errors import UsageError
from foundation.store.encoders import EncoderSpec
from serving.match.decoded_query import DecodedQuery
from serving.match.options import MatchOptions

# In float32 the squares of larger ones add up to what is infinite, and every photo would be as far away.
LARGEST = 1e16

# No photo has it: SHA-256 of nothing known.
_NO_CONTENT = bytes(32)


@dataclass(frozen=True, eq=False)
class VectorQuery:
    """An embedding to look up: its name, and float32 [dimension], as the encoder of the snapshot gives it."""

    name: str
    vector: np.ndarray

    def checked(self, spec: EncoderSpec) -> np.ndarray:
        """Returns the vector as it is searched for; raises UsageError if it is none of that encoder."""
        try:
            with np.errstate(over="ignore"):
                vector = np.asarray(self.vector, np.float32)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"the embedding of {self.name} is no list of numbers; expected {spec.dimension} of them"
            ) from error
        if vector.shape != (spec.dimension,):
            raise UsageError(
                f"the embedding of {self.name} has the shape {list(vector.shape)}; expected [{spec.dimension}], as "
                f"encoder {spec.encoder_id} gives it"
            )
        if not np.isfinite(vector).all():
            raise UsageError(f"the embedding of {self.name} holds numbers that are not finite; expected finite ones")
        if spec.distance == "euclidean" and np.abs(vector).max() > LARGEST:
            raise UsageError(
                f"the embedding of {self.name} holds numbers above {LARGEST:g}, whose distances are infinite; expected "
                f"those that encoder {spec.encoder_id} gives"
            )
        # In float32 the squares of large numbers are infinite.
        length = np.linalg.norm(vector.astype(np.float64))
        if spec.distance == "cosine" and not length:
            raise UsageError(
                f"the embedding of {self.name} is all zero; expected a direction, for cosines are compared"
            )
        # Cosines are products of unit vectors: another length would be read as another similarity.
        return (vector / length).astype(np.float32) if spec.distance == "cosine" else vector

    def decoded(self) -> DecodedQuery:
        """Returns it as a query without pixels."""
        return DecodedQuery.without_pixels(self.name, _NO_CONTENT, size=(1, 1), pictured=None)


def similar_only(options: MatchOptions) -> MatchOptions:
    """Returns the options of a query that nothing is proved of."""
    return replace(options, similar=True)
