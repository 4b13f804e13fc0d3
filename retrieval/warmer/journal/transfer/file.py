"""The format of an exported journal: JSON lines between a header with the version and an end with their number."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from warmer.errors import StorageError
from warmer.journal.transfer.records import LINE, EndRecord, Record

VERSION = 2
_READ = {1, VERSION}  # a file of the first version has no wordings
_HEADER = {"warmer": "journal", "version": VERSION}


@contextmanager
def create_file(path: Path) -> Iterator[Callable[[Record], None]]:
    """Create a file and yield the function that appends a record; an exception in the block deletes the file.

    Only the user may read the file, since it has queries and valid handles.

    Raises:
        StorageError: The file exists already or cannot be written, or the journal holds an invalid record.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise StorageError(f"{path} already exists: name another file, or delete it") from error
    except OSError as error:
        raise StorageError(f"cannot write {path}: {error}") from error
    lines = 0

    def add(record: Record) -> None:
        nonlocal lines
        file.write(record.model_dump_json() + "\n")
        lines += 1

    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(_HEADER) + "\n")
            yield add
            file.write(EndRecord(lines=lines).model_dump_json() + "\n")
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageError(f"cannot write {path}: {error}") from error
        if isinstance(error, ValidationError):
            problem = _first_problem(error)
            raise StorageError(f"the journal is damaged: a {error.title} does not fit: {problem}") from error
        raise


def read_file(path: Path) -> Iterator[tuple[int, Record]]:
    """Read the records of a file, each with its line number.

    Raises:
        StorageError: The file cannot be read, is of another version, is damaged, or is cut off.
    """
    try:
        with path.open("rb") as file:
            _check_header(path, file.readline())
            number, ended = 1, False
            for number, line in enumerate(file, start=2):
                record = _parse(path, number, line)
                if ended or (isinstance(record, EndRecord) and record.lines != number - 2):
                    raise _damaged(path, number, "lines are missing before it, or follow the end")
                if isinstance(record, EndRecord):
                    ended = True
                else:
                    yield number, record
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error}") from error
    if not ended:
        raise _damaged(path, number, "the file ends after it, and not as an export does")


def _check_header(path: Path, line: bytes) -> None:
    try:
        header = json.loads(line)
        version = header["version"] if header["warmer"] == "journal" else None
    except (ValueError, KeyError, TypeError):
        version = None
    if version is None:
        raise StorageError(f"{path} is not an exported journal: make one with `warmer journal export`")
    if version not in _READ:
        raise StorageError(
            f"{path} is of version {version!r:.20}, this program reads {VERSION}: use the warmer that wrote it"
        )


def _parse(path: Path, number: int, line: bytes) -> Record | EndRecord:
    try:
        return LINE.validate_json(line)
    except ValidationError as error:
        raise _damaged(path, number, _first_problem(error)) from error


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]


def _damaged(path: Path, number: int, problem: str) -> StorageError:
    return StorageError(f"line {number} of {path} is damaged ({problem[:200]}): nothing was imported; export it again")


def conflicting_search(path: Path, number: int) -> StorageError:
    """Make the error for a line whose id belongs to a different search in the journal."""
    return StorageError(
        f"line {number} of {path} has another search under the id of one that is there: nothing was imported; "
        "import it into a journal of its own (WARMER_DATA_DIR)"
    )
