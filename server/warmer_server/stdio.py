"""Serve MCP over stdin and stdout, one message per line. Unlike the SDK, answer lines that are not messages."""

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
from warmer_server.json_rpc import LINE_BYTES, InvalidMessageError, read_message
from warmer_tools.workspace import Workspace

_log = logging.getLogger(__name__)
MessageSender = ObjectSendStream[SessionMessage | Exception]
AnswerSender = ObjectSendStream[SessionMessage]
AnswerReceiver = ObjectReceiveStream[SessionMessage]


def serve(server: MCPServer[Workspace]) -> NoReturn:
    """Serve until stdin or stdout is closed, or until SIGTERM or SIGINT. All that was acknowledged is on disk then.

    Raises:
        WarmerError: Collections or journal cannot be opened.
    """
    use_one_arena()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    try:
        anyio.run(_serve, server)
    except* BrokenPipeError:
        pass  # the client closed stdout
    _exit()


def _exit(*_: object) -> NoReturn:
    logging.shutdown()
    os._exit(0)  # a regular exit would abort while a model is still loading


async def _serve(server: MCPServer[Workspace]) -> None:
    core = server._lowlevel_server  # only this one accepts streams
    message_sender, messages = anyio.create_memory_object_stream[SessionMessage | Exception]()
    answer_sender, answers = anyio.create_memory_object_stream[SessionMessage]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_read, _claim(0, os.open(os.devnull, os.O_RDONLY), "rb"), message_sender, answer_sender)
        tasks.start_soon(_write, _claim(1, os.dup(2), "wb"), answers)
        await core.run(messages, answer_sender, core.create_initialization_options())
        tasks.cancel_scope.cancel()


def _claim(stream: int, replacement: int, mode: Literal["rb", "wb"]) -> BinaryIO:
    """Take over a standard stream; the rest of the process and its children get `replacement` in its place."""
    wire = os.dup(stream)
    os.dup2(replacement, stream)
    os.close(replacement)
    return os.fdopen(wire, mode, closefd=False)


async def _read(wire: BinaryIO, messages: MessageSender, answers: AnswerSender) -> None:
    """Pass messages on and answer other lines. Only the beginning of a line that is too long is kept in memory."""
    at_line_start = True
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # the server has ended
        async with messages:
            while line := await anyio.to_thread.run_sync(wire.readline, LINE_BYTES + 1, abandon_on_cancel=True):
                if at_line_start and (line.strip() or len(line) > LINE_BYTES):
                    try:
                        await messages.send(SessionMessage(read_message(line)))
                    except InvalidMessageError as error:
                        await answers.send(SessionMessage(error.answer))
                at_line_start = line.endswith(b"\n")


async def _write(wire: BinaryIO, answers: AnswerReceiver) -> None:
    def write(line: bytes) -> None:
        wire.write(line)
        wire.flush()

    async for answer in answers:
        await anyio.to_thread.run_sync(write, _serialize(answer.message).encode())


def _serialize(message: JSONRPCMessage) -> str:
    try:
        return message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
    except ValueError:
        _log.exception("an answer cannot be written")
        error = ErrorData(code=INTERNAL_ERROR, message="a bug in warmer; the server's log on stderr has more")
        return _serialize(JSONRPCError(jsonrpc="2.0", id=getattr(message, "id", None), error=error))
