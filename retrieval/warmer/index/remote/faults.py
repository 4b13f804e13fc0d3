"""What went wrong between here and a Qdrant server, in words that a person can act on."""

import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from socket import gaierror

import grpc  # type: ignore[import-untyped]
import httpx
from pydantic import ValidationError
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ApiException, ResponseHandlingException, UnexpectedResponse

from warmer.errors import EngineError

ERRORS = (
    ApiException,
    QdrantException,
    grpc.RpcError,
    grpc.aio.UsageError,
    httpx.HTTPError,
    httpx.InvalidURL,
    OSError,
    ValueError,
    KeyError,
    AssertionError,
    RuntimeError,
)
UNREACHED = 0  # the status where no answer came
_SHOWN = 300
_RIGHTS = re.compile(r"access .*is (required|allowed)|manage access|may not be accessed", re.IGNORECASE)
_OWN_LIMIT = re.compile(r"(read|write) rate limit exceeded", re.IGNORECASE)
_ADDRESS = re.compile(r"\b[a-z]+://[^\s\"',;)]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", re.IGNORECASE)
_AGAIN = {UNREACHED, 408, 429, 500, 502, 503, 504}
_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    grpc.StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    grpc.StatusCode.DEADLINE_EXCEEDED: HTTPStatus.REQUEST_TIMEOUT,
    grpc.StatusCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    grpc.StatusCode.UNAVAILABLE: UNREACHED,
}
_MEANING: dict[int, str] = {
    HTTPStatus.OK: "{url} did not answer as Qdrant does ({said}): does QDRANT_URL name a Qdrant server?",
    HTTPStatus.UNAUTHORIZED: "{url} refuses the API key ({said}): check QDRANT_API_KEY",
    HTTPStatus.FORBIDDEN: "{url} refuses the API key ({said}): it is wrong or has expired; check QDRANT_API_KEY",
    HTTPStatus.REQUEST_TIMEOUT: "{url} took too long ({said}): try again later",
    HTTPStatus.TOO_MANY_REQUESTS: "{url} limits how often it may be asked ({said}): try again {later}",
    HTTPStatus.INTERNAL_SERVER_ERROR: "{url} failed ({said}): try again later, and look into the server's log",
    HTTPStatus.BAD_GATEWAY: "{url} is not available (502: {said}): try again later",
    HTTPStatus.SERVICE_UNAVAILABLE: "{url} is not available (503: {said}): try again later",
    HTTPStatus.GATEWAY_TIMEOUT: "{url} is not available (504: {said}): try again later",
}
_NO_RIGHT = (
    "{url} does not allow this ({said}): give the key that right, or name what it may read; a collection that it may "
    "not read, one that does not exist and an alias of another name are all answered so"
)
_NEVER = "{url} does not allow so much at once ({said}): ask for less, or raise {limit} in the collection's strict mode"
_LIMITS = {  # what a server says of a request beyond a limit -> the limit
    "filter condition limit reached": "filter_max_conditions",
    "condition size limit reached": "condition_max_size",
    'for "limit"': "max_query_limit",
    'for "search batch size"': "search_max_batchsize",
    'for "upsert limit"': "upsert_max_batchsize",
    'for "hnsw_ef"': "search_max_hnsw_ef",
    'for "oversampling"': "search_max_oversampling",
    "exact search disabled": "search_allow_exact",
    "write rate limit exceeded": "write_rate_limit",
    "read rate limit exceeded": "read_rate_limit",
}
_SENTENCES = (  # for what a server calls an internal error
    (re.compile(r"time.?out|timed out|deadline", re.IGNORECASE), "{url} took too long ({said}): try again later"),
    (
        re.compile(r"shard|replica|peer|transport|consensus|connect", re.IGNORECASE),
        "a node that holds a part of the collection does not answer ({said}): start it again, or keep more than one "
        "copy of the collection (replication_factor)",
    ),
)


class ServerError(EngineError):
    """A call that a server did not carry out.

    Attributes:
        status: The status code as HTTP has it; UNREACHED where no answer came, 200 for one that is none of Qdrant's.
        said: The server's own words.
        transient: Whether the same call may succeed in a moment.
        retry_after: Seconds that the server asks to wait, if it said so.
        unsent: Whether the server cannot have got the call.
    """

    def __init__(
        self, message: str, status: int, said: str = "", retry_after: float | None = None, *, unsent: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.said = said
        self.retry_after = retry_after
        self.unsent = unsent
        self.missing = status == HTTPStatus.NOT_FOUND
        self.lacks_right = status == HTTPStatus.FORBIDDEN and bool(_RIGHTS.search(said))
        self.wrong_key = status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} and not self.lacks_right
        self.beyond_limit = _is_beyond_limit(status, said, retry_after)

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed in a moment."""
        return self.status in _AGAIN and not self.beyond_limit


@dataclass(frozen=True, slots=True)
class Place:
    """Where calls go, and the key that no message may show."""

    url: str
    key: str = ""

    def fault(self, error: BaseException, what: str) -> ServerError:
        """Say what an error means for the call `what`."""
        status, said, retry_after = _answer(error)
        said = self._presentable(said)
        if status == UNREACHED:
            means = _unreachable(error, self.url, said)
        else:
            later = f"in {retry_after:g} s" if retry_after else "later"
            limit = _limit(said)
            means = _meaning(status, said, retry_after).format(
                url=self.url, said=said or "it gives no reason", later=later, limit=limit
            )
        return ServerError(f"{what}: {means}", status, said, retry_after, unsent=_is_unsent(error))

    def late(self, what: str, seconds: float) -> ServerError:
        """Say that no answer came in time."""
        message = f"{what}: {self.url} did not answer within {seconds:g} s: is it overloaded?"
        return ServerError(message, HTTPStatus.REQUEST_TIMEOUT)

    def _presentable(self, text: str) -> str:
        text = " ".join(text.split())
        if self.key:
            text = text.replace(self.key, "***")
        text = _ADDRESS.sub(lambda found: found[0] if found[0].rstrip("/") in self.url else "another node", text)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _meaning(status: int, said: str, retry_after: float | None) -> str:
    if status == HTTPStatus.FORBIDDEN and _RIGHTS.search(said):
        return _NO_RIGHT
    if _is_beyond_limit(status, said, retry_after):
        return _NEVER
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        for pattern, sentence in _SENTENCES:
            if pattern.search(said):
                return sentence
    return _MEANING.get(status, f"{{url}} answered {status}: {{said}}")


def _is_beyond_limit(status: int, said: str, retry_after: float | None) -> bool:
    """Tell whether a call takes more than strict mode allows at once, or in a minute: waiting does not help."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return retry_after is None and bool(_OWN_LIMIT.search(said))
    return status == HTTPStatus.BAD_REQUEST and bool(_limit(said))


def _limit(said: str) -> str:
    """Name the limit of strict mode that a request went beyond; empty where it was none."""
    return next((limit for words, limit in _LIMITS.items() if words in said.lower()), "")


def _is_unsent(error: BaseException) -> bool:
    refused = isinstance(error, grpc.aio.AioRpcError) and "failed to connect" in (error.details() or "").lower()
    return refused or any(isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout) for cause in _causes(error))


def _answer(error: BaseException) -> tuple[int, str, float | None]:
    """Read the status, the server's words and how many seconds it asks to wait."""
    source = error.source if isinstance(error, ResponseHandlingException) else error
    if isinstance(source, ResourceExhaustedResponse):
        return HTTPStatus.TOO_MANY_REQUESTS, source.message, float(source.retry_after_s)
    return *_status(source), None


def _status(error: BaseException) -> tuple[int, str]:
    status, said = UNREACHED, str(error)
    match error:
        case UnexpectedResponse():
            status, said = error.status_code or UNREACHED, _said(error.content)
        case grpc.aio.AioRpcError():
            status, said = _STATUS.get(error.code(), HTTPStatus.INTERNAL_SERVER_ERROR), error.details() or ""
        case httpx.TimeoutException():
            status, said = HTTPStatus.REQUEST_TIMEOUT, "timed out"
        case QdrantException():  # a Retry-After that is no number of seconds
            status = HTTPStatus.TOO_MANY_REQUESTS
        case json.JSONDecodeError() | ValidationError() | AssertionError():
            status, said = HTTPStatus.OK, "its reply is not the JSON of Qdrant's API"
        case ValueError() | KeyError():  # qdrant-client's engine in memory, which raises what it likes
            status = HTTPStatus.NOT_FOUND if "not found" in said else HTTPStatus.BAD_REQUEST
    return status, said


def _said(content: bytes) -> str:
    try:
        return str(json.loads(content)["status"]["error"])
    except (ValueError, KeyError, TypeError):
        text = content.decode(errors="replace")
        return "a page of HTML, from a proxy?" if text.lstrip().startswith("<") else text


def _unreachable(error: BaseException, url: str, said: str) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, gaierror) for cause in causes) or "lookup failed" in said:
        return f"the name of the host in {url} is not known ({said}): check QDRANT_URL"
    if "certificate" in said.lower():
        return f"the TLS certificate of {url} is not trusted ({said}): set SSL_CERT_FILE to the one that signed it"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"no TLS connection to {url} ({said}): does it speak plain http://?"
    if any(isinstance(cause, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError) for cause in causes):
        return f"{url} ended the connection in the middle of the answer ({said}): try again later"
    return f"nothing answers at {url} ({said}): start the server, or check QDRANT_URL"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = getattr(error, "source", None) or error.__cause__ or error.__context__
