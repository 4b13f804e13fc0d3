"""Errors for users and agents: each message says what is wrong, with which value, and what to do next."""


class WarmerError(Exception):
    """Base of all errors whose message is shown to the user unchanged."""


class CollectionError(WarmerError):
    """A collection that does not exist, is ambiguous, or cannot be opened."""


class ModelMismatchError(WarmerError):
    """A collection that was embedded by another model than the configured one."""


class FilterError(WarmerError):
    """A filter that is not valid Qdrant filter JSON, or that names an unknown field."""


class EmbeddingError(WarmerError):
    """An embedding model that cannot be loaded or does not fit."""


class IngestError(WarmerError):
    """A path that cannot be indexed; `reason` is short, to group paths by."""

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class SearchError(WarmerError):
    """A query, limit or search handle that cannot be used."""


class ScoreError(WarmerError):
    """Scores that do not match the hits of their search."""


class StorageError(WarmerError):
    """A data directory that cannot be read or written."""


class EngineError(WarmerError):
    """A Qdrant server that cannot be reached, refuses, or fails.

    Attributes:
        wrong_key: Whether the key is not known, or has expired.
        lacks_right: Whether the key is known, and may not do what was asked.
        missing: Whether what was asked for is not there.
        beyond_limit: Whether more was asked for than is ever allowed at once.
    """

    wrong_key = False
    lacks_right = False
    missing = False
    beyond_limit = False


class JudgeError(WarmerError):
    """A judge that cannot be loaded, or that returns unusable scores."""


def innermost(error: BaseException) -> BaseException:
    """Return the first leaf of nested exception groups, as raised by task groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
