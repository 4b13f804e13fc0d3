"""Log in as a remote connector does, by the SDK's OAuth client: `python -m clients.oauth [WORK]`.

The authorization server is Authlib's, in an environment of its own in WORK, on this machine's loopback address.
"""

import os
import socket
import subprocess
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path
from time import sleep
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import anyio
import httpx2
from http_server import environment_of
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
WARMER = [sys.executable, "-m", "warmer_server.cli"]
PACKAGES = ["authlib==1.9.10", "flask==3.1.3", "joserfc==1.8.0"]
CALLBACK = "http://127.0.0.1:1/callback"  # never called: the test reads where it is sent


class Storage:
    """The SDK's `TokenStorage`, in memory."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


def main(work: Path) -> None:
    """Run the whole; exit with status 1 and the reason if anything is wrong."""
    data = work / "data"
    index = [*WARMER, "index", str(ROOT / "docs"), "--collection", "docs"]
    subprocess.run(index, env=environment_of(data), check=True)
    issuer, url = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}/mcp"
    settings = environment_of(data, WARMER_OAUTH_ISSUER=issuer, WARMER_OAUTH_RESOURCE=url)
    ours = [*WARMER, "serve", "--http", "--port", str(urlsplit(url).port)]
    theirs = [python_of(work), HERE / "authorization_server.py", str(urlsplit(issuer).port)]
    with process(theirs, dict(os.environ), f"{issuer}/jwks"), process(ours, settings, url.replace("/mcp", "/health")):
        anyio.run(play, issuer, url)


async def play(issuer: str, url: str) -> None:
    """Log in with each kind of scope, and see what that allows."""
    async with logged_in(url) as (client, storage):
        assert storage.client, "the client registered itself"
        assert storage.tokens
        tell("scopes asked for, from the server's metadata", storage.tokens.scope)
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert tools == ["search", "give_feedback", "train_params"], tools
        found = await call(client, "search", query="How do I make a token?")
        steered = await call(client, "give_feedback", search_id=found["search_id"], scores=[9, 0])
        tell("all scopes: search, then feedback", steered["outcome"])
    httpx2.post(f"{issuer}/rotate").raise_for_status()
    async with logged_in(url, "search") as (client, _):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        tell("a new key, and search alone", tools)
        assert tools == ["search"]
        assert (await call(client, "search", query="token"))["hits"]
        refused = await client.call_tool("train_params", {})
        assert refused.is_error, refused
    async with logged_in(url, "train") as (client, _):
        asked = {"queries": [f"How do I make token {n}?" for n in range(12)], "limit": 5}
        started = await call(client, "train_params", **asked)
        assert started["status"] == "needs_scores", started
        assert started["to_score"] == []
        tell("train alone", f"{started['status']}, {len(started['to_score'])} passages")
    other = token_for(issuer, "https://other.example.com/mcp")
    for what, token in {"a token for another server": other, "no token of theirs": "x.y.z"}.items():
        tell(what, status(url, token))
        assert status(url, token) == 401
    tell("a good one", status(url, token_for(issuer, url)))
    assert status(url, token_for(issuer, url)) != 401


@asynccontextmanager
async def logged_in(url: str, granted: str = "") -> AsyncIterator[tuple[Client, Storage]]:
    """Connect as the SDK's client does; the person grants what is asked for, or some of it."""
    storage, sent = Storage(), dict[str, list[str]]()

    async def open_page(page: str) -> None:
        sent.update(consent(page, granted))

    async def read_callback() -> AuthorizationCodeResult:
        return AuthorizationCodeResult(code=sent["code"][0], state=sent["state"][0])

    described = OAuthClientMetadata.model_validate(
        {"client_name": "test", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    )
    provider = OAuthClientProvider(url, described, storage, open_page, read_callback)
    async with (
        httpx2.AsyncClient(auth=provider, timeout=60) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield client, storage


def consent(page: str, granted: str = "") -> dict[str, list[str]]:
    """Play the person in front of the browser; returns what the client is sent back."""
    parts = urlsplit(page)
    asked = parse_qs(parts.query)
    asked["scope"] = [granted] if granted else asked["scope"]
    answer = httpx2.get(urlunsplit(parts._replace(query=urlencode(asked, doseq=True))), timeout=30)
    assert answer.is_redirect, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)


def token_for(issuer: str, resource: str) -> str:
    """Get a token for another server, as another client would."""
    described = {"client_name": "other", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    client = httpx2.post(f"{issuer}/register", json=described, timeout=30).raise_for_status().json()["client_id"]
    verifier = "v" * 64
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    asked = {"response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "scope": "search", "state": "s"}
    asked |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    code = consent(f"{issuer}/authorize?{urlencode(asked)}")["code"][0]
    told = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": client}
    told |= {"code_verifier": verifier, "resource": resource}
    token = httpx2.post(f"{issuer}/token", data=told, timeout=30).raise_for_status().json()["access_token"]
    return str(token)


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that must succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


def tell(what: str, came: object) -> None:
    """Say what was seen."""
    sys.stdout.write(f"{what}: {came}\n")


def status(url: str, token: str) -> int:
    """Call with a token, and say only how it is answered."""
    return httpx2.post(url, json={}, headers={"authorization": f"Bearer {token}"}, timeout=30).status_code


def free_port() -> int:
    """Find a port: the issuer and the server have to know their own URLs before they start."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def python_of(work: Path) -> Path:
    """Make the environment of the authorization server."""
    python = work / "authlib" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", work / "authlib"], check=True)
        plain = {name: value for name, value in os.environ.items() if name not in {"PIP_CONSTRAINT", "PYTHONPATH"}}
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True, env=plain)
    return python


@contextmanager
def process(command: list[Any], environment: dict[str, str], url: str) -> Iterator[None]:
    """Run a server until the block ends; enters once a URL is answered."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as one:
        try:
            wait_for(url, one)
            yield
        finally:
            one.terminate()
            one.wait()


def wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Wait until a server answers."""
    for _ in range(600):
        if server.poll() is not None:
            raise AssertionError(f"it ended with {server.returncode}")
        try:
            if httpx2.get(url, timeout=1).is_success:
                return
        except httpx2.HTTPError:
            sleep(0.1)
    raise AssertionError(f"{url} is not answered")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).absolute())
    else:
        with tempfile.TemporaryDirectory(prefix="warmer-oauth-") as folder_:
            main(Path(folder_))
