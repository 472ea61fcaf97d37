"""Checks where a lookup is answered: by a store that is opened here, or by a server that has one."""

from collections.abc import Mapping

from foundation.errors import UsageError

# What a server does not do for a client, and where it is to be had.
ONLY_WITH_A_STORE = {
    "--evidence": "evidence is made from the files of the index: look at the page of the server, or name the --store",
    "--decode": "only the encoder of the store decodes its vectors: name the --store",
    "--watch": "the store keeps what is watched: name the --store, or `firstseen watch add`",
    "--runner": "a server answers by itself, and no job does: name the --store for one",
    "--flink-master": "a server answers by itself, and no job does: name the --store for one",
    "--workers": "a server answers by itself, and no job does: name the --store for one",
    "--memory-limit": "a server opens its index by itself: name the --store for a job here",
    "Beam's flags": "a server answers by itself, and no job does: name the --store for one",
}


def check_source(store: str | None, server: str | None, flags: Mapping[str, object]) -> None:
    """Raises UsageError unless one of both is named, and for a flag that was given and that a server does nothing with.

    `flags` has the value of each flag of `ONLY_WITH_A_STORE`.
    """
    if (store is None) == (server is None):
        received = "neither --store nor --server is given" if store is None else "--store and --server are both given"
        raise UsageError(f"{received}; expected one: --store STORE, or --server URL of `firstseen serve`")
    if server is None:
        return
    from serving.remote.address import check_address

    check_address(server)
    for flag, remedy in ONLY_WITH_A_STORE.items():
        if flags[flag]:
            raise UsageError(f"--server goes without {flag}: {remedy}")
