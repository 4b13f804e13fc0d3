"""Read the settings, all from environment variables."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from warmer.embedding import DEFAULT_MODEL
from warmer.errors import FilterError, WarmerError
from warmer.index.filters import check_limit
from warmer.index.remote.address import read_address
from warmer.judges import DEFAULT_CLAUDE_MODEL


def _parse_names(text: object) -> object:
    if not isinstance(text, str):
        return text
    if not (names := {name.strip() for name in text.split(",")} - {""}):
        raise ValueError("it names no collection, and without a limit all can be searched: name some, or unset it")
    return names


def _parse_list(text: object) -> object:
    return {part.strip() for part in text.split(",")} - {""} if isinstance(text, str) else text


def _parse_filter(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        where = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WarmerError(
            "WARMER_FILTER is not JSON: write Qdrant's filter, such as "
            '{"must": [{"key": "tenant", "match": {"value": "a"}}]}'
        ) from error
    try:
        check_limit(where)
    except FilterError as error:
        raise WarmerError(f"WARMER_FILTER: {error}") from error
    return where


def _parse_pairs(text: object) -> object:
    if not isinstance(text, str):
        return text
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if wrong := [name for name, _, value in pairs if not name.strip() or not value.strip()]:
        raise ValueError(f"{wrong[0]!r} is not collection=model")
    return {name.strip(): value.strip() for name, _, value in pairs}


class Settings(BaseSettings):
    """Settings, each with a default and read from the environment variable that its alias names."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    data_dir: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] = Field(
        default_factory=lambda: user_data_path("warmer", appauthor=False),
        validation_alias="WARMER_DATA_DIR",
        description="Folder of collections and journal",
    )
    collection_name: str = Field(
        "",
        validation_alias="COLLECTION_NAME",
        description="Collection that is searched when a call names none",
    )
    embedding_model: str = Field(
        DEFAULT_MODEL,
        validation_alias="EMBEDDING_MODEL",
        description="Model that embeds queries and passages: a FastEmbed name, or a folder with an ONNX model",
    )
    search_mode: Literal["auto", "dense", "hybrid"] = Field(
        "auto",
        validation_alias="WARMER_SEARCH_MODE",
        description="dense: by vectors alone; hybrid: words too; auto: hybrid where the collection has words",
    )
    text_limit: int = Field(
        1200,
        ge=100,
        validation_alias="WARMER_TEXT_LIMIT",
        description='Characters of a hit\'s text at most, with detail="full"',
    )
    skim_limit: int = Field(
        200,
        ge=40,
        validation_alias="WARMER_SKIM_LIMIT",
        description="Characters of a hit's text at most in a list to skim",
    )
    search_hours: float = Field(
        168,
        gt=0,
        validation_alias="WARMER_SEARCH_HOURS",
        description="Hours for which a search_id can be scored",
    )
    claude_model: str = Field(
        DEFAULT_CLAUDE_MODEL,
        validation_alias="WARMER_CLAUDE_MODEL",
        description='Model of the judge "claude"; its key is read from ANTHROPIC_API_KEY',
    )
    judges: str = Field(
        "",
        validation_alias="WARMER_JUDGES",
        description="Judges of your own that agents may name, as module:Class, separated by commas",
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = Field(
        "WARNING",
        validation_alias="WARMER_LOG_LEVEL",
        description="What is logged on stderr; INFO has a line for each call",
    )
    log_format: Literal["text", "json"] = Field(
        "text", validation_alias="WARMER_LOG_FORMAT", description="text, or json: one object a line"
    )
    log_queries: bool = Field(
        False,
        validation_alias="WARMER_LOG_QUERIES",
        description="Whether the log may have queries, and messages of errors, which quote them",
    )
    retrievers: Annotated[dict[str, str], NoDecode, BeforeValidator(_parse_pairs)] = Field(
        default_factory=dict,
        validation_alias="WARMER_RETRIEVERS",
        description="Other models for some collections, as collection=model, separated by commas",
    )
    qdrant_url: str = Field(
        "",
        validation_alias="QDRANT_URL",
        description="Search the collections of this Qdrant server, not those that `warmer index` made here",
    )
    qdrant_api_key: SecretStr = Field(SecretStr(""), validation_alias="QDRANT_API_KEY", description="Its key")
    qdrant_timeout: float = Field(
        20,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        validation_alias="QDRANT_TIMEOUT",
        description="Seconds to wait at most for the answer to one request to it",
    )
    qdrant_grpc_port: int = Field(
        0,
        ge=0,
        le=65535,
        validation_alias="QDRANT_GRPC_PORT",
        description="Its port of gRPC (default: 6334 where the URL's port is 6333, else none, and REST alone is used)",
    )
    oversampling: float = Field(
        0,
        ge=0,
        le=100,
        allow_inf_nan=False,
        validation_alias="WARMER_OVERSAMPLING",
        description="Points that quantised vectors find, for each that is asked for (default: by their kind, 1 to 4)",
    )
    allowed: Annotated[frozenset[str], NoDecode, BeforeValidator(_parse_names)] = Field(
        default_factory=frozenset,
        validation_alias="WARMER_COLLECTIONS",
        description="Collections of the server that may be searched, separated by commas (default: all)",
    )
    where: Annotated[dict[str, Any], NoDecode, BeforeValidator(_parse_filter)] = Field(
        default_factory=dict,
        validation_alias="WARMER_FILTER",
        description="Filter that is added to every query, as Qdrant's filter JSON, such as a tenant's",
    )
    text_field: str = Field(
        "",
        validation_alias="WARMER_TEXT_FIELD",
        description="Where the text is in a payload, as text or a.b.c (default: found out)",
    )
    title_field: str = Field("", validation_alias="WARMER_TITLE_FIELD", description="Likewise, the title")
    source_field: str = Field("", validation_alias="WARMER_SOURCE_FIELD", description="Likewise, the source")
    texts: str = Field(
        "",
        validation_alias="WARMER_TEXTS",
        description="Class that finds texts which are not in Qdrant, as module:Class",
    )
    vector: str = Field(
        "",
        validation_alias="WARMER_VECTOR",
        description="Name of the dense vector, where a collection has several",
    )
    lexical_vector: str = Field(
        "",
        validation_alias="WARMER_LEXICAL_VECTOR",
        description="Name of a sparse vector by Qdrant's BM25, to search words too",
    )
    journal: Literal["sqlite", "qdrant"] = Field(
        "sqlite",
        validation_alias="WARMER_JOURNAL",
        description="Where searches and scores are kept: in the data directory, or on the server, for several replicas",
    )
    journal_replicas: int = Field(
        0,
        ge=0,
        le=100,
        validation_alias="WARMER_JOURNAL_REPLICAS",
        description="Copies of the journal that is made on the server (default: as many as what is searched has)",
    )
    tokens_file: Annotated[Path | None, AfterValidator(lambda path: path and path.expanduser().absolute())] = Field(
        None,
        validation_alias="WARMER_TOKENS_FILE",
        description="File of lines by `warmer token`, of those who may call over HTTP; read again when it changes",
    )
    tokens: SecretStr = Field(SecretStr(""), validation_alias="WARMER_TOKENS", description="Such lines themselves")
    allowed_hosts: Annotated[frozenset[str], NoDecode, BeforeValidator(_parse_list)] = Field(
        default_factory=frozenset,
        validation_alias="WARMER_ALLOWED_HOSTS",
        description="Names by which the HTTP server may be called, beside that of --host, separated by commas",
    )
    allowed_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(_parse_list)] = Field(
        default_factory=frozenset,
        validation_alias="WARMER_ALLOWED_ORIGINS",
        description="Web pages that may call it, as https://app.example.com, separated by commas",
    )
    call_seconds: float = Field(
        120,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        validation_alias="WARMER_CALL_SECONDS",
        description="Seconds that a call of search or give_feedback may take over HTTP",
    )
    stop_seconds: int = Field(
        10,
        ge=0,
        le=3600,
        validation_alias="WARMER_STOP_SECONDS",
        description="Seconds that calls have to end when the HTTP server is stopped",
    )


_SERVER_ONLY = {
    *("qdrant_api_key", "qdrant_grpc_port", "allowed", "where", "texts", "journal", "journal_replicas", "oversampling"),
    *("vector", "lexical_vector", "text_field", "title_field", "source_field"),
}


def read_settings(url: str = "") -> Settings:
    """Read the environment.

    Args:
        url: Server given on the command line, in place of QDRANT_URL.

    Raises:
        WarmerError: A value is invalid, or needs another setting.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(f"{e['loc'][0]} is {e['input']!r}: {e['msg']}" for e in error.errors())
        raise WarmerError(f"{problems}. `warmer serve --help` lists the settings") from error
    if settings.qdrant_url:
        read_address(settings.qdrant_url)
    if not (settings.qdrant_url or url) and (without_server := sorted(_SERVER_ONLY & settings.model_fields_set)):
        names = ", ".join(str(Settings.model_fields[field].validation_alias) for field in without_server)
        raise WarmerError(f"{names} is for a Qdrant server, and QDRANT_URL is not set: set that too, or unset {names}")
    return settings


def describe_settings() -> str:
    """Return the help text of the settings."""
    lines = ["settings, from the environment:"]
    for field in Settings.model_fields.values():
        unset = field.default_factory or not str(field.default).strip("*")
        default = "" if unset else f" (default: {field.default})"
        lines.append(f"  {field.validation_alias}\n      {field.description}{default}")
    return "\n".join(lines)
