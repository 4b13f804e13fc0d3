"""MCP on stdin and stdout, a message a line. A line that is no message is answered, where the SDK would drop it."""

import io
import logging
import os
import signal
from contextlib import suppress
from typing import BinaryIO, NoReturn

import anyio
import anyio.to_thread
from anyio.abc import ObjectSendStream
from mcp.server import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from warmer.memory import keep_one_heap
from warmer_server.lines import LINE_BYTES, NoMessageError, read_message
from warmer_tools.workspace import Workspace

Messages = ObjectSendStream[SessionMessage | Exception]
Answers = ObjectSendStream[SessionMessage]


def serve(server: MCPServer[Workspace]) -> NoReturn:
    """Serve until stdin or stdout is closed, or until SIGTERM or SIGINT; what was answered is kept.

    Raises:
        WarmerError: What the settings name cannot be opened.
    """
    keep_one_heap()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        anyio.run(_serve, server)
    except* BrokenPipeError:
        pass  # nobody reads any more
    _end()


def _end(*_: object) -> NoReturn:
    logging.shutdown()
    os._exit(0)  # the interpreter's own end would abort where a model is still being loaded


async def _serve(server: MCPServer[Workspace]) -> None:
    core = server._lowlevel_server  # which alone takes streams
    messages, received = anyio.create_memory_object_stream[SessionMessage | Exception]()
    nothing = anyio.wrap_file(io.StringIO())  # the SDK's reader ends at once
    async with stdio_server(stdin=nothing) as (_, answers), anyio.create_task_group() as tasks:
        tasks.start_soon(_read, _take_stdin(), messages, answers)
        await core.run(received, answers, core.create_initialization_options())
        tasks.cancel_scope.cancel()


def _take_stdin() -> BinaryIO:
    """Leave stdin empty for all else in the process, and for its children."""
    wire, empty = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return os.fdopen(wire, "rb", closefd=False)


async def _read(wire: BinaryIO, messages: Messages, answers: Answers) -> None:
    """Pass messages on, and answer what is none; of a line that is too long no more than its beginning is held."""
    begins = True
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # the server has ended
        async with messages:
            while line := await anyio.to_thread.run_sync(wire.readline, LINE_BYTES + 1, abandon_on_cancel=True):
                if begins and (line.strip() or len(line) > LINE_BYTES):
                    try:
                        await messages.send(SessionMessage(read_message(line)))
                    except NoMessageError as error:
                        await answers.send(SessionMessage(error.answer))
                begins = line.endswith(b"\n")
