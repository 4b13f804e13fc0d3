"""MCP on stdin and stdout, a message a line. A line that is no message is answered, where the SDK would drop it."""

import logging
import os
import signal
from contextlib import suppress
from typing import BinaryIO, Literal, NoReturn

import anyio
import anyio.to_thread
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from mcp.server import MCPServer
from mcp.shared.message import SessionMessage
from mcp.types import INTERNAL_ERROR, ErrorData, JSONRPCError, JSONRPCMessage

from warmer.heap import use_one_arena
from warmer_server.json_rpc import LINE_BYTES, NoMessageError, read_message
from warmer_tools.workspace import Workspace

_log = logging.getLogger(__name__)
Messages = ObjectSendStream[SessionMessage | Exception]
Answers = ObjectSendStream[SessionMessage]
Answered = ObjectReceiveStream[SessionMessage]


def serve(server: MCPServer[Workspace]) -> NoReturn:
    """Serve until stdin or stdout is closed, or until SIGTERM or SIGINT; what was answered is kept.

    Raises:
        WarmerError: What the settings name cannot be opened.
    """
    use_one_arena()
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
    answers, answered = anyio.create_memory_object_stream[SessionMessage]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, _take(0, os.open(os.devnull, os.O_RDONLY), "rb"), messages, answers)
        tasks.start_soon(_write, _take(1, os.dup(2), "wb"), answered)
        await core.run(received, answers, core.create_initialization_options())
        tasks.cancel_scope.cancel()


def _take(stream: int, instead: int, mode: Literal["rb", "wb"]) -> BinaryIO:
    """Keep a standard stream from all else in the process, and from its children, which get `instead`."""
    wire = os.dup(stream)
    os.dup2(instead, stream)
    os.close(instead)
    return os.fdopen(wire, mode, closefd=False)


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


async def _write(wire: BinaryIO, answered: Answered) -> None:
    def write(line: bytes) -> None:
        wire.write(line)
        wire.flush()

    async for answer in answered:
        await anyio.to_thread.run_sync(write, _line(answer.message).encode())


def _line(message: JSONRPCMessage) -> str:
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
    except ValueError:
        _log.exception("an answer cannot be written")
        error = ErrorData(code=INTERNAL_ERROR, message="a bug in warmer; the server's log on stderr has more")
        return _line(JSONRPCError(jsonrpc="2.0", id=getattr(message, "id", None), error=error))
