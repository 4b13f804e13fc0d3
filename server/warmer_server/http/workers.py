"""Several processes that serve on one socket: the engine holds the interpreter's lock, so that more load needs more."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from time import monotonic

from warmer.errors import WarmerError, innermost
from warmer_server import logs
from warmer_server.http.worker import Listening, serve
from warmer_server.settings import Settings

_PARTING = 5.0  # beyond the time that calls have to end
_log = logging.getLogger(__name__)
_spawn = multiprocessing.get_context("spawn")


def supervise(settings: Settings, listening: Listening, count: int, ready: Callable[[], None]) -> None:
    """Keep `count` workers running until SIGTERM or SIGINT. One that dies is replaced.

    Raises:
        WarmerError: One could not start; the others are ended.
    """
    asked, told = socket.socketpair()
    told.setblocking(False)
    signal.set_wakeup_fd(told.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # the wakeup tells
    workers = [_Worker(settings, listening) for _ in range(count)]
    try:
        for worker in workers:
            if not worker.started(asked):
                return
        ready()
        while True:
            over = wait([asked, *(worker.process.sentinel for worker in workers)])
            if asked in over:
                return
            for position, worker in enumerate(workers):
                if worker.process.sentinel in over:
                    _log.error("a worker ended (%s) and is replaced", worker.process.exitcode)
                    worker.process.join()
                    workers[position] = _Worker(settings, listening)
                    if not workers[position].started(asked):
                        return
    finally:
        listening.sock.close()
        _end(workers, settings.stop_seconds + _PARTING)


class _Worker:
    def __init__(self, settings: Settings, listening: Listening) -> None:
        self._told, tells = _spawn.Pipe(duplex=False)
        self.process: BaseProcess = _spawn.Process(target=_work, args=(settings, listening, tells))
        self.process.start()
        tells.close()

    def started(self, asked: socket.socket) -> bool:
        """Wait until it answers requests; False where the end was asked for meanwhile.

        Raises:
            WarmerError: It ended instead.
        """
        if asked in wait([asked, self._told]):
            return False
        try:
            reason = self._told.recv()
        except EOFError:
            self.process.join()
            reason = f"it ended with {self.process.exitcode}"
        if reason:
            raise WarmerError(f"a worker cannot start: {reason}")
        return True


def _work(settings: Settings, listening: Listening, tells: Connection) -> None:
    logs.configure(settings.log_level, settings.log_format, queries=settings.log_queries)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        serve(settings, listening, lambda: tells.send(""))
    except (WarmerError, BaseExceptionGroup) as error:
        cause = innermost(error)
        if not isinstance(cause, WarmerError):
            raise
        tells.send(str(cause))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _end_with_parent() -> None:
    """End too where the parent was killed, which can tell nobody any more."""
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _end(workers: list[_Worker], seconds: float) -> None:
    for worker in workers:
        worker.process.terminate()
    deadline = monotonic() + seconds
    for worker in workers:
        worker.process.join(max(0.0, deadline - monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
