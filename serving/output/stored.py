"""Keeps the thumbnails that an index has of the matches of one query, while a page shows them."""

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING

from serving.match.match import Match, Outcome

if TYPE_CHECKING:
    from serving.output.pictures import Picture


class StoredPictures:
    """The pictures that an index keeps of the matches of the query that passed last.

    They show what was indexed, whatever lies in the archive now, and of a bucket nothing is read.
    """

    def __init__(self) -> None:
        self._matches: dict[str, Match] = {}

    def passing(self, outcomes: Generator[Outcome, None, None]) -> Generator[Outcome, None, None]:
        """Passes the outcomes on, and keeps the matches of each until the next."""
        with closing(outcomes):
            for outcome in outcomes:
                self._matches = {match.photo["uri"]: match for match in outcome.matches if match.thumbnail}
                yield outcome

    def picture(self, uri: str) -> "Picture | None":
        """Returns the picture of a photo by its URI, None if none is kept; raises ArtifactRefusedError if damaged."""
        match = self._matches.get(uri)
        if match is None or not match.thumbnail:
            return None
        # A lookup that makes no page loads nothing for pictures.
        from foundation.photos.thumbnail import decode_thumbnail
        from serving.match.footprint import Size
        from serving.output.pictures import Picture

        size = Size(match.photo["width"], match.photo["height"])
        return Picture(decode_thumbnail(match.thumbnail), size, match.photo["content_sha256"])
