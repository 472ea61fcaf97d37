"""Remembers the connections of a pool: whoever waits for an answer on one of them is freed when the pool is closed."""

import socket
from contextlib import suppress
from threading import Lock
from typing import Any
from weakref import WeakSet

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager


class Sockets:
    """The connections that the pools of one manager have opened; threads may open them meanwhile."""

    def __init__(self, manager: PoolManager):
        self._connections: WeakSet[Any] = WeakSet()
        self._adding = Lock()
        manager.pool_classes_by_scheme = {
            "http": self._remembered(HTTPConnectionPool),
            "https": self._remembered(HTTPSConnectionPool),
        }

    def shut(self) -> None:
        """Ends what is read and written on them; urllib3 itself closes only those that nobody uses."""
        with self._adding:
            connections = list(self._connections)
        for connection in connections:
            # Of TLS, too, it is the socket underneath: a thread reads through the rest of it.
            with suppress(OSError, AttributeError, TypeError):
                socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    def _remembered(self, pool: Any) -> Any:
        sockets = self

        class Connection(pool.ConnectionCls):
            def connect(self) -> None:
                super().connect()
                with sockets._adding:
                    sockets._connections.add(self)

        return type(pool.__name__, (pool,), {"ConnectionCls": Connection})
