"""Access tokens of an OAuth 2.1 authorization server: JWTs (RFC 9068), checked by the keys that their issuer publishes.

A token is good here if its issuer signed it for this server (audience) and it has not expired, a minute of clock skew
aside. Keys are fetched again when none signed a token, six times a minute at most, so an issuer may change them.
"""

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import httpx2
import jwt
from mcp.server.auth.provider import AccessToken, TokenVerifier

from warmer.errors import FilterError, WarmerError
from warmer.index.filters import check_limit
from warmer.sanitize import one_line
from warmer_server.settings import Settings
from warmer_server.tokens import SCOPES

COLLECTIONS, FILTER = "warmer_collections", "warmer_filter"  # claims that limit what a token may search
SKEW = 60  # seconds by which clocks may differ
_ALGORITHMS = [f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512)] + ["EdDSA"]
_METADATA = ("oauth-authorization-server", "openid-configuration")
_FETCH_SECONDS = 5.0
_REFRESHES, _REFRESH_SECONDS = 6, 60.0  # times that unknown keys may make it ask the issuer, and in which time
_PAUSE = 5.0  # seconds before an issuer that failed is asked again
_AT_ONCE = 8  # tokens whose keys are looked for; more wait, so that no issuer holds all threads
_log = logging.getLogger(__name__)


class IssuerKeys:
    """The keys of an issuer, found by its metadata (RFC 8414) unless their URL is given."""

    def __init__(self, issuer: str, jwks_url: str = "") -> None:
        self._issuer = issuer
        self._url = jwks_url
        self._client: jwt.PyJWKClient | None = None
        self._lock = Lock()
        self._asked: deque[float] = deque(maxlen=_REFRESHES)  # when tokens that no kept key signed made it ask
        self._failed = -_PAUSE

    def kept(self, header: Mapping[str, Any]) -> list[jwt.PyJWK]:
        """List the kept keys that may have signed a token: that which it names, or all where it names none."""
        cache = self._client.jwk_set_cache if self._client else None
        kept = cache.get() if cache else None
        signing = [key for key in (kept.keys if kept else ()) if key.public_key_use in {None, "sig"}]
        named = header.get("kid")
        return [key for key in signing if (not named or key.key_id == named) and key.algorithm_name == header["alg"]]

    def asked(self, header: Mapping[str, Any]) -> list[jwt.PyJWK]:
        """Ask the issuer, and list the keys that may have signed a token.

        Raises:
            PyJWTError: The issuer does not tell, or was asked often enough.
        """
        with self._lock:
            expired = not (self._client and self._client.jwk_set_cache and self._client.jwk_set_cache.get())
            if not expired and len(self._asked) == _REFRESHES and monotonic() - self._asked[0] < _REFRESH_SECONDS:
                raise jwt.PyJWKClientError("the issuer was asked often enough for a key that signed it")
            if monotonic() - self._failed < _PAUSE:
                raise jwt.PyJWKClientError("the issuer did not give its keys a moment ago")
            self._asked.append(monotonic())
            try:
                if self._client is None:
                    self._client = jwt.PyJWKClient(self._url or self._discover(), timeout=_FETCH_SECONDS)
                self._client.get_jwk_set(refresh=True)
            except jwt.PyJWTError:
                self._failed = monotonic()
                raise
        return self.kept(header)

    def _discover(self) -> str:
        problem = "it has no metadata"
        for url in _metadata_urls(self._issuer):
            try:
                told = httpx2.get(url, timeout=_FETCH_SECONDS)
                metadata = told.json() if told.is_success else {}
            except (httpx2.HTTPError, ValueError) as error:
                problem = str(error)
                continue
            if isinstance(metadata, dict) and metadata.get("jwks_uri"):
                if metadata.get("issuer") == self._issuer:
                    return str(metadata["jwks_uri"])
                problem = f"{url} is the metadata of {metadata.get('issuer')!r}"
        raise jwt.PyJWKClientConnectionError(f"WARMER_OAUTH_ISSUER={self._issuer} gives no keys: {problem}")


class JwtVerifier:
    """The SDK's `TokenVerifier` over tokens of an issuer.

    Args:
        issuer: The URL that names it.
        audience: What its tokens name this server.
        resource: The URL of this server.
        keys: Its keys.
    """

    def __init__(self, issuer: str, audience: str, resource: str, keys: IssuerKeys) -> None:
        self._issuer, self._audience, self._resource, self._keys = issuer, audience, resource, keys
        self._at_once: anyio.CapacityLimiter | None = None

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who calls and what they may do, or None if the token is not good here."""
        self._at_once = self._at_once or anyio.CapacityLimiter(_AT_ONCE)
        try:
            claims = await anyio.to_thread.run_sync(self._claims, token, limiter=self._at_once)
            return self._caller(token, claims)
        except (jwt.PyJWTError, WarmerError, ValueError) as error:
            worth_a_look = isinstance(error, WarmerError | jwt.PyJWKClientConnectionError)
            _log.log(logging.WARNING if worth_a_look else logging.INFO, "a token is refused: %s", one_line(str(error)))
            return None

    def _claims(self, token: str) -> dict[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in _ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"it is signed by {header.get('alg')!r}, not by one of {_ALGORITHMS}")
        for find in (self._keys.kept, self._keys.asked):
            for key in find(header):
                with suppress(jwt.InvalidSignatureError):
                    return self._checked(token, key)
        raise jwt.InvalidSignatureError("no key of the issuer signed it")

    def _checked(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[str(key.algorithm_name)],
            audience=self._audience,
            issuer=self._issuer,
            leeway=SKEW,
            options={"require": ["exp", "iss", "aud"]},
        )
        return claims

    def _caller(self, token: str, claims: Mapping[str, Any]) -> AccessToken:
        client, subject = claims.get("client_id") or claims.get("azp"), claims.get("sub")
        if not (client or subject):
            raise WarmerError("it does not say whose it is: it has neither sub nor client_id")
        limits = {"collections": _collections(claims.get(COLLECTIONS)), "filter": _filter(claims.get(FILTER))}
        return AccessToken(
            token=token,
            client_id=str(client or subject),
            subject=str(subject) if subject else None,
            scopes=[scope for scope in SCOPES if scope in _scopes(claims)],
            expires_at=int(claims["exp"]) + SKEW,
            resource=self._resource,
            claims={"iss": self._issuer, **limits},
        )


class EitherVerifier:
    """The SDK's `TokenVerifier` over several, the first that knows a token."""

    def __init__(self, verifiers: Sequence[TokenVerifier]) -> None:
        self._verifiers = verifiers

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return who calls and what they may do, or None if no verifier knows the token."""
        for verifier in self._verifiers:
            if caller := await verifier.verify_token(token):
                return caller
        return None


def make_verifier(settings: Settings) -> JwtVerifier | None:
    """Make the verifier that the settings ask for, if any.

    Raises:
        WarmerError: They are not whole, or a URL is not one that can be trusted.
    """
    issuer, resource = settings.oauth_issuer, settings.oauth_resource
    if not (issuer or resource):
        return None
    for name, url in {"WARMER_OAUTH_ISSUER": issuer, "WARMER_OAUTH_RESOURCE": resource}.items():
        if not url:
            raise WarmerError(f"{name} is not set: OAuth needs both the issuer's URL and this server's own")
        _check_url(name, url)
    if settings.oauth_jwks_url:
        _check_url("WARMER_OAUTH_JWKS_URL", settings.oauth_jwks_url)
    keys = IssuerKeys(issuer, settings.oauth_jwks_url)
    return JwtVerifier(issuer, settings.oauth_audience or resource, resource, keys)


def _check_url(name: str, url: str) -> None:
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and local))):
        raise WarmerError(f"{name} is {url!r}: write a URL that begins with https:// (http:// on this machine alone)")


def _metadata_urls(issuer: str) -> list[str]:
    parts = urlsplit(issuer)
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    urls = [f"{host}/.well-known/{name}{path}" for name in _METADATA]
    return list(dict.fromkeys([*urls, f"{host}{path}/.well-known/{_METADATA[1]}"]))


def _scopes(claims: Mapping[str, Any]) -> list[str]:
    """List the scopes: a text by RFC 9068, a list with some issuers."""
    told = claims.get("scope") or claims.get("scp") or ""
    return told.split() if isinstance(told, str) else [str(scope) for scope in told]


def _collections(told: object) -> list[str]:
    if told is None:
        return []
    names = told.replace(",", " ").split() if isinstance(told, str) else told
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise WarmerError(f"its claim {COLLECTIONS} is not a list of names")
    return names


def _filter(told: object) -> dict[str, Any]:
    if told is None:
        return {}
    if not isinstance(told, dict) or not told:
        raise WarmerError(f"its claim {FILTER} is not a filter")
    try:
        check_limit(told)
    except FilterError as error:
        raise WarmerError(f"its claim {FILTER}: {error}") from error
    return told
