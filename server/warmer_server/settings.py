"""Read the settings, all from environment variables."""

from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from warmer.embedding import DEFAULT_MODEL
from warmer.embedding.pair import CLIP
from warmer.errors import WarmerError
from warmer.index.filter_size import MOST
from warmer.index.remote.address import read_address
from warmer.judges import DEFAULT_CLAUDE_MODEL
from warmer.sanitize import one_line
from warmer_server.setting_values import (
    existing_folder,
    parse_by_collection,
    parse_filter,
    parse_list,
    parse_names,
    parse_pairs,
)

_ByCollection = Annotated[dict[str, str], NoDecode, BeforeValidator(parse_by_collection)]


class Settings(BaseSettings):
    """Settings, each with a default and read from the environment variable that its alias names."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore")

    data_dir: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] = Field(
        default_factory=lambda: user_data_path("warmer", appauthor=False),
        validation_alias="WARMER_DATA_DIR",
        description="Folder of collections and journal",
    )
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_. -]{0,39}$")] = Field(
        "warmer",
        validation_alias="WARMER_NAME",
        description="Name of this server, where a client has several",
    )
    tool_prefix: Annotated[str, Field(pattern=r"^([A-Za-z][A-Za-z0-9_-]{0,29})?$")] = Field(
        "",
        validation_alias="WARMER_TOOL_PREFIX",
        description="Prefix of the tools' names, such as pumps_, where a client has several servers",
    )
    about: Annotated[str, AfterValidator(one_line)] = Field(
        "",
        max_length=500,
        validation_alias="WARMER_ABOUT",
        description="A sentence on what can be found, for the description of search "
        "(default: names, sizes and titles of the collections)",
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
    image_model: str = Field(
        CLIP,
        validation_alias="WARMER_IMAGE_MODEL",
        description="Model that embeds queries of collections of pictures, and pictures: a FastEmbed name, or a folder "
        "with the folders vision and text",
    )
    images: Annotated[Path | None, AfterValidator(existing_folder)] = Field(
        None,
        validation_alias="WARMER_IMAGES",
        description="Folder of the pictures that payloads name in image_url, path or uri; none outside of it is shown",
    )
    thumbnail_side: int = Field(
        320,
        ge=16,
        le=4096,
        validation_alias="WARMER_THUMBNAIL_SIDE",
        description="Longest side of a picture in a list, in pixels",
    )
    thumbnail_bytes: int = Field(
        40_000,
        ge=2000,
        le=5_000_000,
        validation_alias="WARMER_THUMBNAIL_BYTES",
        description="Most bytes of such a picture, before base64",
    )
    picture_side: int = Field(
        1024,
        ge=16,
        le=8192,
        validation_alias="WARMER_PICTURE_SIDE",
        description="Longest side of a picture that is read, in pixels",
    )
    picture_bytes: int = Field(
        400_000,
        ge=2000,
        le=20_000_000,
        validation_alias="WARMER_PICTURE_BYTES",
        description="Most bytes of such a picture, before base64",
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
        description='Most characters of a hit\'s text, with detail="full"',
    )
    skim_limit: int = Field(
        200,
        ge=40,
        validation_alias="WARMER_SKIM_LIMIT",
        description="Most characters of a hit's text in a list to skim",
    )
    filter_conditions: int = Field(
        MOST,
        ge=1,
        validation_alias="WARMER_FILTER_CONDITIONS",
        description="Most conditions of a call's filter: thousands would keep the engine busy for a minute",
    )
    search_hours: float = Field(
        168,
        gt=0,
        le=876_000,
        allow_inf_nan=False,
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
        description="Whether the log may contain queries, and error messages, which quote them",
    )
    retrievers: Annotated[dict[str, str], NoDecode, BeforeValidator(parse_pairs)] = Field(
        default_factory=dict,
        validation_alias="WARMER_RETRIEVERS",
        description="Other models for some collections, as collection=model, separated by commas",
    )
    qdrant_url: str = Field(
        "",
        validation_alias="QDRANT_URL",
        description="Search the collections of this Qdrant server, not those that `warmer index` made here",
    )
    qdrant_api_key: SecretStr = Field(
        SecretStr(""), validation_alias="QDRANT_API_KEY", description="Key of that server"
    )
    qdrant_timeout: float = Field(
        20,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        validation_alias="QDRANT_TIMEOUT",
        description="Longest wait for the answer to one request, in seconds",
    )
    qdrant_grpc_port: int = Field(
        0,
        ge=0,
        le=65535,
        validation_alias="QDRANT_GRPC_PORT",
        description="Its gRPC port (default: 6334 where the URL's port is 6333, else none, and REST alone is used)",
    )
    oversampling: float = Field(
        0,
        ge=0,
        le=100,
        allow_inf_nan=False,
        validation_alias="WARMER_OVERSAMPLING",
        description="Points that quantised vectors find for each that is asked for (default: by their kind, 1 to 4)",
    )
    allowed: Annotated[frozenset[str], NoDecode, BeforeValidator(parse_names)] = Field(
        default_factory=frozenset,
        validation_alias="WARMER_COLLECTIONS",
        description="Collections of the server that may be searched, separated by commas (default: all)",
    )
    where: Annotated[dict[str, Any], NoDecode, BeforeValidator(parse_filter)] = Field(
        default_factory=dict,
        validation_alias="WARMER_FILTER",
        description="Filter that is added to every query, as Qdrant's filter JSON, such as a tenant's; also as "
        "collection=filter, separated by commas",
    )
    text_field: _ByCollection = Field(
        default_factory=dict,
        validation_alias="WARMER_TEXT_FIELD",
        description="Path of the text in a payload, as text or a.b.c (default: Warmer looks for it); also as "
        "collection=a.b.c, separated by commas",
    )
    title_field: _ByCollection = Field(
        default_factory=dict, validation_alias="WARMER_TITLE_FIELD", description="The same for the title"
    )
    source_field: _ByCollection = Field(
        default_factory=dict, validation_alias="WARMER_SOURCE_FIELD", description="The same for the source"
    )
    texts: str = Field(
        "",
        validation_alias="WARMER_TEXTS",
        description="Class that finds texts which are not in Qdrant, as module:Class",
    )
    vector: _ByCollection = Field(
        default_factory=dict,
        validation_alias="WARMER_VECTOR",
        description="Name of the dense vector, where a collection has several; also as collection=name, separated by "
        "commas",
    )
    lexical_vector: _ByCollection = Field(
        default_factory=dict,
        validation_alias="WARMER_LEXICAL_VECTOR",
        description="Name of a sparse vector by Qdrant's BM25, to search words too; also as collection=name, separated "
        "by commas",
    )
    journal: Literal["sqlite", "qdrant"] = Field(
        "sqlite",
        validation_alias="WARMER_JOURNAL",
        description="Where searches and scores are kept: in the data directory, or on the server, for several replicas",
    )
    remember: Annotated[dict[str, Literal["on", "off"]], NoDecode, BeforeValidator(parse_by_collection)] = Field(
        default_factory=dict,
        validation_alias="WARMER_REMEMBER",
        description="off: scores of earlier searches do not steer new ones that ask for the same; also as "
        "collection=off or @owner=off, separated by commas (default: on)",
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
        description="File of the lines that `warmer token` prints for callers over HTTP; read again when it changes",
    )
    tokens: SecretStr = Field(
        SecretStr(""), validation_alias="WARMER_TOKENS", description="These lines, instead of a file"
    )
    oauth_issuer: str = Field(
        "",
        validation_alias="WARMER_OAUTH_ISSUER",
        description="URL of the authorization server whose access tokens (JWTs) are accepted over HTTP",
    )
    oauth_resource: str = Field(
        "",
        validation_alias="WARMER_OAUTH_RESOURCE",
        description="URL at which clients reach this server, such as https://search.example.com/mcp",
    )
    oauth_audience: str = Field(
        "",
        validation_alias="WARMER_OAUTH_AUDIENCE",
        description="Name of this server in a token's aud (default: WARMER_OAUTH_RESOURCE)",
    )
    oauth_jwks_url: str = Field(
        "",
        validation_alias="WARMER_OAUTH_JWKS_URL",
        description="Where the issuer's keys are (default: where its metadata says)",
    )
    allowed_hosts: Annotated[frozenset[str], NoDecode, BeforeValidator(parse_list)] = Field(
        default_factory=frozenset,
        validation_alias="WARMER_ALLOWED_HOSTS",
        description="Names by which clients may call the HTTP server, beside that of --host, separated by commas",
    )
    allowed_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(parse_list)] = Field(
        default_factory=frozenset,
        validation_alias="WARMER_ALLOWED_ORIGINS",
        description="Origins of web pages that may call it, as https://app.example.com, separated by commas",
    )
    connections_per_address: int = Field(
        256,
        ge=1,
        validation_alias="WARMER_CONNECTIONS_PER_ADDRESS",
        description="Connections that one address, such as a proxy's, may hold to a worker of the HTTP server",
    )
    call_seconds: float = Field(
        120,
        gt=0,
        le=3600,
        allow_inf_nan=False,
        validation_alias="WARMER_CALL_SECONDS",
        description="Seconds that a call of search or give_feedback may take over HTTP",
    )
    stall_seconds: float = Field(
        30,
        gt=2,
        le=3600,
        allow_inf_nan=False,
        validation_alias="WARMER_STALL_SECONDS",
        description="Seconds without an answer after which a worker of the HTTP server is ended and replaced",
    )
    stop_seconds: int = Field(
        10,
        ge=0,
        le=3600,
        validation_alias="WARMER_STOP_SECONDS",
        description="Seconds that running calls have to finish when the HTTP server stops",
    )

    def remembers(self, owner: str, collection: str) -> bool:
        """Tell whether earlier scores of an owner may steer in a collection."""
        named = {self.remember[name] for name in (f"@{owner}", collection) if name in self.remember}
        return "off" not in (named or {self.remember.get("", "on")})

    @property
    def without_server(self) -> str:
        """What is wrong with settings that are for a server where none is named; empty where nothing is."""
        lonely = [] if self.qdrant_url else sorted(_SERVER_ONLY & self.model_fields_set)
        if not lonely:
            return ""
        names = ", ".join(str(Settings.model_fields[field].validation_alias) for field in lonely)
        return f"{names} is for a Qdrant server, and QDRANT_URL is not set: set that too, or unset {names}"


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
    settings = read_values()
    if problem := "" if url else settings.without_server:
        raise WarmerError(problem)
    return settings


def read_values() -> Settings:
    """Read the environment, whether or not there is a server that some of it is for.

    Raises:
        WarmerError: A value is invalid.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(f"{e['loc'][0]} is {e['input']!r}: {e['msg']}" for e in error.errors())
        raise WarmerError(f"{problems}. `warmer serve --help` lists the settings") from error
    if settings.qdrant_url:
        read_address(settings.qdrant_url)
    return settings


def describe_settings() -> str:
    """Return the help text of the settings."""
    lines = ["settings, from the environment:"]
    for field in Settings.model_fields.values():
        told = "(default:" in str(field.description)
        unset = told or field.default_factory or field.default is None or not str(field.default).strip("*")
        default = "" if unset else f" (default: {field.default})"
        lines.append(f"  {field.validation_alias}\n      {field.description}{default}")
    return "\n".join(lines)
