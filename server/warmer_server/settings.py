"""Settings, all from the environment."""

from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from warmer.embedding import DEFAULT_MODEL
from warmer.errors import WarmerError
from warmer.judges import DEFAULT_CLAUDE_MODEL


class Settings(BaseSettings):
    """Every setting has a default; each is read from the environment variable named as its alias."""

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
        description="Characters of a hit's text at most",
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
        "WARNING", validation_alias="WARMER_LOG_LEVEL", description="What is logged on stderr"
    )
    qdrant_url: str = Field(
        "",
        validation_alias="QDRANT_URL",
        description="Reserved for collections on a Qdrant server, which this version cannot search yet",
    )


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        WarmerError: A value does not fit, or asks for what this version cannot do.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        problems = "; ".join(f"{e['loc'][0]} is {e['input']!r}: {e['msg']}" for e in error.errors())
        raise WarmerError(f"{problems}. `warmer serve --help` lists the settings") from error
    if settings.qdrant_url:
        raise WarmerError(
            "QDRANT_URL is set, but this version searches embedded collections only: unset it, and make a "
            "collection with `warmer index PATH --collection NAME`"
        )
    return settings


def describe_settings() -> str:
    """List the settings for a help text."""
    lines = ["settings, from the environment:"]
    for field in Settings.model_fields.values():
        default = "" if field.default_factory or field.default == "" else f" (default: {field.default})"
        lines.append(f"  {field.validation_alias}\n      {field.description}{default}")
    return "\n".join(lines)
