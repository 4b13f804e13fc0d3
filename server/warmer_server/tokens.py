"""Bearer tokens: made here, kept as hashes, one JSON object a line, in a file or in the environment.

A token is 256 random bits, so that a plain SHA-256 of it can neither be reversed nor guessed.
"""

import json
import logging
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from warmer.errors import FilterError, WarmerError
from warmer.index.filters import check_limit

Scope = Literal["search", "feedback", "train"]
SCOPES: tuple[Scope, ...] = ("search", "feedback", "train")
_log = logging.getLogger(__name__)


def _limiting(where: dict[str, Any]) -> dict[str, Any]:
    try:
        if where:
            check_limit(where)
    except FilterError as error:
        raise ValueError(str(error)) from error
    return where


class Token(BaseModel):
    """What is kept of a token.

    Attributes:
        name: Whose it is; tokens of one name share their handles, so that one can take the place of another.
        sha256: The token's hash, in hex.
        scopes: The tools that it may use.
        collections: Those that it may search; empty: all.
        where: A filter that is added to its every query; empty: none.
        expires: The moment from which on it is refused, if any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    collections: tuple[str, ...] = ()
    where: Annotated[dict[str, Any], AfterValidator(_limiting)] = Field(default_factory=dict, alias="filter")
    expires: datetime | None = None

    @property
    def expired(self) -> bool:
        """Whether it may not be used any more."""
        return self.expires is not None and self.expires.astimezone(UTC) <= datetime.now(UTC)

    def line(self) -> str:
        """Write the line for the file."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)


def make_token(
    name: str, scopes: tuple[str, ...], collections: tuple[str, ...], where: dict[str, Any], days: float | None
) -> tuple[str, Token]:
    """Make a token; gives the secret, which is kept nowhere, and what is kept of it.

    Raises:
        WarmerError: A scope or the filter cannot be used.
    """
    secret = "wt_" + secrets.token_urlsafe(32)
    expires = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0) if days is not None else None
    kept = {"name": name, "sha256": _hash(secret), "scopes": scopes, "collections": collections, "filter": where}
    return secret, _token(kept | {"expires": expires}, "the token")


def read_tokens(text: str, source: str) -> list[Token]:
    """Read lines; blank ones and those that begin with # are passed over.

    Raises:
        WarmerError: A line is none; it says which, and never what may be a secret.
    """
    tokens = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        at = f"line {number} of {source}"
        try:
            raw = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise WarmerError(f"{at} is not JSON: put there what `warmer token` prints") from error
        tokens.append(_token(raw, at))
    return tokens


def _token(raw: object, at: str) -> Token:
    try:
        return Token.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise WarmerError(f"{at} does not fit: {problems}. `warmer token` makes such lines") from error


@dataclass
class Tokens:
    """All tokens; a file is read again when it has changed, so that a line that is deleted ends a token at once.

    Raises:
        WarmerError: There are none, or a line is none.
    """

    file: Path | None
    text: str = ""
    _state: tuple[int, int] = (0, 0)
    _read: list[Token] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._given = read_tokens(self.text, "WARMER_TOKENS")
        if self.file:
            self._reread()
        if not (self._given or self._read):
            raise WarmerError("there are no tokens in WARMER_TOKENS_FILE: make one with `warmer token NAME`")

    @property
    def count(self) -> int:
        """How many there are that have not expired."""
        return sum(not token.expired for token in (*self._given, *self._read))

    def find(self, secret: str) -> Token | None:
        """Find a token; as long for a wrong one as for a right one."""
        self._refresh()
        hashed = _hash(secret)
        found = None
        for token in (*self._given, *self._read):
            if compare_digest(token.sha256, hashed):
                found = token
        return None if found is None or found.expired else found

    def _refresh(self) -> None:
        try:
            if self.file:
                self._reread()
        except WarmerError as error:
            _log.error("the tokens are left as they were: %s", error)

    def _reread(self) -> None:
        assert self.file
        try:
            stat = self.file.stat()
            state = (stat.st_mtime_ns, stat.st_size)
            if state == self._state:
                return
            text = self.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WarmerError(f"cannot read WARMER_TOKENS_FILE={self.file}: {error}") from error
        self._read = read_tokens(text, str(self.file))
        self._state = state


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
