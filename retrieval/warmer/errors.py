"""Errors that a person or an agent can act on: what is wrong, with which value, and what to do next."""


class WarmerError(Exception):
    """Base of every error whose message is meant for the user and is shown as it stands."""


class CollectionError(WarmerError):
    """A collection that does not exist, is ambiguous, or cannot be opened."""


class ModelMismatchError(WarmerError):
    """A collection was embedded by another model than the one that is set."""


class FilterError(WarmerError):
    """A filter that is not Qdrant's filter JSON, or that names a field no passage has."""


class EmbeddingError(WarmerError):
    """An embedding model that cannot be loaded or does not fit."""


class IngestError(WarmerError):
    """A path that cannot be indexed; `reason` sums up why, so that paths can be told together."""

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class SearchError(WarmerError):
    """A query, limit or search handle that cannot be used."""


class ScoreError(WarmerError):
    """Scores that do not fit the hits they are given for."""


class StorageError(WarmerError):
    """A data directory that cannot be read or written."""


class EngineError(WarmerError):
    """A Qdrant server that cannot be reached, refuses, or fails."""


class JudgeError(WarmerError):
    """A judge that cannot be loaded, or that gives no usable scores."""


def innermost(error: BaseException) -> BaseException:
    """Find what went wrong inside a task group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
