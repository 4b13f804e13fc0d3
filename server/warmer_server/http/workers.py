"""Serve on one socket from several processes: the engine holds the GIL, so threads would not add throughput."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Container, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Thread
from time import monotonic

from warmer.errors import WarmerError, innermost
from warmer_server import logs
from warmer_server.http.worker import Listener, serve
from warmer_server.settings import Settings

_SHUTDOWN_GRACE = 5.0  # seconds beyond the time that calls have to end
_LOOK_SECONDS = 1.0  # how often the workers are looked at
_log = logging.getLogger(__name__)
_spawn = multiprocessing.get_context("spawn")


def supervise(settings: Settings, listener: Listener, count: int, on_ready: Callable[[], None]) -> None:
    """Keep `count` workers running until SIGTERM or SIGINT, replacing those that die or no longer answer.

    Args:
        settings: Settings.
        listener: Where to serve.
        count: Number of workers.
        on_ready: Called once all of them answer requests.

    Raises:
        WarmerError: A worker could not start; the others are stopped.
    """
    stop, wakeup = socket.socketpair()
    wakeup.setblocking(False)
    signal.set_wakeup_fd(wakeup.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # the handler need not act: the signal writes to `wakeup`
    workers = [_Worker(settings, listener) for _ in range(count)]
    try:
        for worker in workers:
            if not worker.wait_until_ready(stop):
                return
        on_ready()
        while stop not in (ready := _look(workers, stop)):
            for position, worker in enumerate(workers):
                if reason := worker.failure(ready, settings.stall_seconds):
                    _log.error("a worker %s and is replaced", reason)
                    worker.kill()
                    workers[position] = _Worker(settings, listener)
                    if not workers[position].wait_until_ready(stop):
                        return
    finally:
        listener.sock.close()
        _stop(workers, settings.stop_seconds + _SHUTDOWN_GRACE)


def _look(workers: Sequence["_Worker"], stop: socket.socket) -> Container[object]:
    """Wait until something happens, for a second at most; gives what is ready."""
    watched: list[socket.socket | int | Connection] = [stop]
    for worker in workers:
        watched += [worker.process.sentinel, worker.receiver]
    before = monotonic()
    ready = wait(watched, _LOOK_SECONDS)
    if monotonic() - before > 2 * _LOOK_SECONDS:  # this process was stopped itself, and so were the workers
        for worker in workers:
            worker.answered = monotonic()
    return ready


class _Worker:
    """A process that serves, and says once a second that it still does."""

    def __init__(self, settings: Settings, listener: Listener) -> None:
        self.receiver, sender = _spawn.Pipe(duplex=False)
        self.process: BaseProcess = _spawn.Process(target=_run_worker, args=(settings, listener, sender))
        self.process.start()
        sender.close()
        self.answered = monotonic()

    def wait_until_ready(self, stop: socket.socket) -> bool:
        """Wait until the worker answers requests; return False if `stop` becomes readable first.

        Raises:
            WarmerError: The worker ended instead.
        """
        if stop in wait([stop, self.receiver]):
            return False
        try:
            reason = self.receiver.recv()
        except EOFError:
            self.process.join()
            reason = f"it ended with {self.process.exitcode}"
        if reason:
            raise WarmerError(f"a worker cannot start: {reason}")
        self.answered = monotonic()
        return True

    def failure(self, ready: Container[object], stall_seconds: float) -> str:
        """Say why a worker has to be replaced; nothing if it has not."""
        if self.process.sentinel in ready:
            self.process.join()
            return f"ended ({self.process.exitcode})"
        try:
            while self.receiver in ready and self.receiver.poll():
                self.receiver.recv()
                self.answered = monotonic()
        except EOFError:  # its end of the pipe closes before the process has ended
            return "ended"
        stalled = monotonic() - self.answered > stall_seconds
        return f"has answered nothing for {stall_seconds:g} seconds" if stalled else ""

    def kill(self) -> None:
        """End it at once: what does not answer would not heed a signal either."""
        self.process.kill()
        self.process.join()
        self.receiver.close()


def _run_worker(settings: Settings, listener: Listener, status: Connection) -> None:
    """Serve, and send the supervisor an empty string when ready and at each beat, or the reason if serving fails."""
    logs.configure(settings.log_level, settings.log_format, queries=settings.log_queries)
    Thread(target=_exit_with_parent, daemon=True).start()
    try:
        serve(settings, listener, lambda: status.send(""))
    except (WarmerError, BaseExceptionGroup) as error:
        cause = innermost(error)
        if not isinstance(cause, WarmerError):
            raise
        status.send(str(cause))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _exit_with_parent() -> None:
    """Stop when the parent ends, even if it was killed and could not signal."""
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _stop(workers: list[_Worker], seconds: float) -> None:
    for worker in workers:
        worker.process.terminate()
    deadline = monotonic() + seconds
    for worker in workers:
        worker.process.join(max(0.0, deadline - monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
