"""A TCP proxy that refuses, stalls or closes connections."""

import socket
from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Forwards bytes in both directions, unless `set_mode` says otherwise."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._mode = ""
        self._flowing = Event()
        self._flowing.set()
        self._open: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def set_mode(self, mode: str) -> None:
        """Set what happens to bytes: "refused", "stalled", "closed within an answer", or "" to forward them."""
        self._mode = mode
        if mode == "stalled":
            self._flowing.clear()
        else:
            self._flowing.set()
        if mode == "refused":
            self._close_all()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self._mode == "refused":
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                self._open += [client, server]
                Thread(target=self._forward, args=(client, server, False), daemon=True).start()
                Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
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

    def _close_all(self) -> None:
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
        self._close_all()
        for one in self._open:
            one.close()
