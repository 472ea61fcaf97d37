"""Keeps the lookups of the page, and shows them as they may be shown now."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from serving.http.held import HeldLookup, HeldLookups
from serving.http.lookup_page import Shown, shown_queries
from serving.http.problems import Problem
from serving.http.status_page import ago
from serving.search.snapshot import OpenSnapshot

if TYPE_CHECKING:
    from serving.http.service import Service

EXPIRED = (
    "this lookup is not kept any more, since results stay in memory alone and for a while; look the photo up again"
)

Made = TypeVar("Made")


class ShownLookups:
    """The lookups that the page shows, and how they look now: what was withdrawn since is left out."""

    def __init__(self, service: "Service"):
        self.service = service
        self._seconds = 60 * service.options.keep_minutes
        self.kept_for = ago(self._seconds)
        # What may be handed in at a time, so that nobody waits for an upload that will be refused.
        self.bounds = {"most_bytes": service.options.max_body_bytes, "most_photos": service.options.max_images}
        self.held = HeldLookups(keep_seconds=self._seconds)

    def add(self, lookup: HeldLookup) -> str:
        """Keeps a lookup, and returns its id."""
        # Photos of strangers do not stay in memory because nobody asks for them any more.
        asyncio.get_running_loop().call_later(self._seconds + 1, self.held.forget)
        return self.held.add(lookup)

    def get(self, lookup_id: str) -> HeldLookup:
        """Returns a lookup; raises a Problem, 404, if it is not kept any more."""
        found = self.held.get(lookup_id)
        if found is None:
            raise Problem(404, "expired", EXPIRED)
        return found

    async def now(self, make: Callable[[OpenSnapshot], Made]) -> Made:
        """Returns what is made with the live snapshot, in a thread."""
        with self.service.live.hold() as held:

            def make_of_opened() -> Made:
                held.require_fresh()
                return make(held.opened)

            return await asyncio.to_thread(make_of_opened)

    async def query(self, lookup_id: str, number: int, claimed: datetime | None = None) -> Shown:
        """Returns one query of a lookup; raises a Problem, 404, if there is none of this number."""
        lookup = self.get(lookup_id)
        if not 1 <= number <= len(lookup.queries):
            raise Problem(404, "no_query", f"the lookup has no query {number}; expected 1 to {len(lookup.queries)}")
        one = HeldLookup(lookup.snapshot, [lookup.queries[number - 1]])
        (shown,) = await self.now(lambda opened: shown_queries(one, claimed, opened))
        return shown
