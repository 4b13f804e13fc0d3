"""Make and check bearer tokens, stored as hashes, one JSON object per line, in a file or an environment variable.

A token is 256 random bits, so a plain SHA-256 of it can neither be reversed nor guessed.
"""

import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from warmer.errors import FilterError, WarmerError
from warmer.index.filters import check_limit
from warmer.sanitize import error_text

Scope = Literal["search", "feedback", "train"]
SCOPES: tuple[Scope, ...] = ("search", "feedback", "train")
_log = logging.getLogger(__name__)


def _check_filter(where: dict[str, Any]) -> dict[str, Any]:
    try:
        if where:
            check_limit(where)
    except FilterError as error:
        raise ValueError(str(error)) from error
    return where


class Token(BaseModel):
    """Stored record of a token, without the secret.

    Attributes:
        name: Owner. Tokens of one owner share handles, so that a new token can replace an old one.
        sha256: Hash of the token, in hex.
        scopes: Tools that it may use.
        collections: Collections that it may search; empty for all.
        where: Filter added to every query; empty for none.
        expires: When it expires, if ever.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: Annotated[str, Field(min_length=1, max_length=100)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)]
    collections: tuple[str, ...] = ()
    where: Annotated[dict[str, Any], AfterValidator(_check_filter)] = Field(default_factory=dict, alias="filter")
    expires: datetime | None = None

    @property
    def expired(self) -> bool:
        """Whether the token has expired."""
        return self.expires is not None and self.expires.astimezone(UTC) <= datetime.now(UTC)

    @property
    def rights(self) -> tuple[object, ...]:
        """What it may do: the same for all tokens of a name, of which a new one can then replace an old one."""
        return set(self.scopes), set(self.collections), self.where

    def line(self) -> str:
        """Return the line to store."""
        return self.model_dump_json(by_alias=True, exclude_defaults=True)


def make_token(
    name: str, scopes: tuple[str, ...], collections: tuple[str, ...], where: dict[str, Any], days: float | None
) -> tuple[str, Token]:
    """Make a token and return its secret, which is stored nowhere, and its record.

    Args:
        name: Owner.
        scopes: Tools that it may use.
        collections: Collections that it may search; empty for all.
        where: Filter added to every query; empty for none.
        days: Days until it expires; None for never.

    Raises:
        WarmerError: A scope or the filter is invalid.
    """
    secret = "wt_" + secrets.token_urlsafe(32)
    expires = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0) if days is not None else None
    record = {"name": name, "sha256": _hash(secret), "scopes": scopes, "collections": collections, "filter": where}
    return secret, _validate(record | {"expires": expires}, "the token")


def read_tokens(text: str, source: str) -> list[Token]:
    """Read tokens, one per line, skipping blank lines and comments (#).

    Args:
        text: The lines.
        source: Where they are from, for error messages.

    Raises:
        WarmerError: A line is not a token. The message names the line but never quotes it: it may hold a secret.
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
        tokens.append(_validate(raw, at))
    return tokens


def check_names(tokens: Sequence[Token]) -> None:
    """Refuse tokens of one name with different rights, expired ones aside.

    Raises:
        WarmerError: There are such; the message has the name.
    """
    rights: dict[str, tuple[object, ...]] = {}
    for token in tokens:
        if not token.expired and rights.setdefault(token.name, token.rights) != token.rights:
            raise WarmerError(
                f"two tokens have the name {error_text(token.name)!r} and different rights: tokens of one name are one "
                "caller's, with the same searches. Give another caller another name; to change the rights of one, "
                "delete the old line"
            )


def _validate(raw: object, at: str) -> Token:
    try:
        return Token.model_validate(raw)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise WarmerError(f"{at} does not fit: {problems}. `warmer token` makes such lines") from error


@dataclass
class Tokens:
    """All tokens. The file is read again when it changes, so deleting a line revokes its token at once.

    Attributes:
        file: File of tokens, if any.
        text: Further tokens, such as from WARMER_TOKENS.

    Raises:
        WarmerError: There are no tokens, a line is not a token, or two of one name differ in their rights.
    """

    file: Path | None
    text: str = ""
    _file_state: tuple[int, int] = (0, 0)
    _from_file: list[Token] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._from_text = read_tokens(self.text, "WARMER_TOKENS")
        check_names(self._from_text)
        if self.file:
            self._read_file()
        if not (self._from_text or self._from_file):
            raise WarmerError("there are no tokens in WARMER_TOKENS_FILE: make one with `warmer token NAME`")

    @property
    def count(self) -> int:
        """Number of tokens that have not expired."""
        return sum(not token.expired for token in (*self._from_text, *self._from_file))

    def find(self, secret: str) -> Token | None:
        """Return the record of a token, or None if it is unknown or expired.

        A wrong secret takes as long as a right one.
        """
        self._refresh()
        hashed = _hash(secret)
        found = None
        for token in (*self._from_text, *self._from_file):
            if compare_digest(token.sha256, hashed):
                found = token
        return None if found is None or found.expired else found

    def _refresh(self) -> None:
        try:
            if self.file:
                self._read_file()
        except WarmerError as error:
            _log.error("the tokens are left as they were: %s", error)

    def _read_file(self) -> None:
        assert self.file
        try:
            stat = self.file.stat()
            state = (stat.st_mtime_ns, stat.st_size)
            if state == self._file_state:
                return
            text = self.file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WarmerError(f"cannot read WARMER_TOKENS_FILE={self.file}: {error}") from error
        tokens = read_tokens(text, str(self.file))
        check_names([*self._from_text, *tokens])
        self._from_file = tokens
        self._file_state = state


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
