"""A TCP proxy that refuses, stalls or closes connections."""

import socket
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Passes bytes to a server and back, unless told to treat them otherwise: see `treat`."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._mode = ""
        self._flowing = Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def treat(self, mode: str) -> None:
        """Treat all bytes from now on so: "refused", "stalled", "closed within an answer", or "" to let them pass."""
        self._mode = mode
        if mode == "stalled":
            self._flowing.clear()
        else:
            self._flowing.set()
        if mode == "refused":
            self._drop()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self._mode == "refused":
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                self._open += [client, server]
                Thread(target=self._pass, args=(client, server, False), daemon=True).start()
                Thread(target=self._pass, args=(server, client, True), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                self._flowing.wait()
                if is_answer and self._mode == "closed within an answer":
                    target.sendall(content[: len(content) // 2])
                    break
                target.sendall(content)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._flowing.set()
        self._listening.close()
        self._drop()
        for one in self._open:
            one.close()
