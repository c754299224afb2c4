"""A TCP proxy on loopback whose connections can fall silent, end, or be refused."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class LoopbackProxy:
    """Passes on what comes to `port`, until it is told otherwise.

    A connection that is swallowed stays open and acknowledges everything, as one does whose flow a firewall has
    forgotten: neither end hears of it.
    """

    def __init__(self, port: int, address: tuple[str, int] = ("127.0.0.1", 0)) -> None:
        self._target = port
        self._listening = socket.create_server(address)
        self.port: int = self._listening.getsockname()[1]
        self.accepted = 0
        self.swallows_new = False
        self.delay_s = 0.0
        """Before each piece of what comes is passed on."""
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._swallowed: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self) -> None:
        """From now on nothing gets through on the connections that there are."""
        self._swallowed |= {end for pair in self._pairs for end in pair}

    def reset(self) -> None:
        """End the connections that there are, as a killed server's kernel does."""
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Refuse every connection from now on, and end those that there are."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.reset()
        for pair in self._pairs:
            for end in pair:
                end.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            self.accepted += 1
            self._pairs.append((client, server))
            if self.swallows_new:
                self._swallowed |= {client, server}
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source not in self._swallowed:
                    time.sleep(self.delay_s)
                    sink.sendall(data)
            if source not in self._swallowed:
                sink.shutdown(socket.SHUT_WR)


@contextmanager
def proxied(port: int, address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[LoopbackProxy]:
    """A proxy in front of a port of this machine, for as long as the context lasts; it listens at `address`."""
    proxy = LoopbackProxy(port, address)
    try:
        yield proxy
    finally:
        proxy.close()
