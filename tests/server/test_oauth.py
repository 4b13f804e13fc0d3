"""Tokens of an authorization server, over HTTP: who is let in, with which keys, and to what."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import time
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from http_server import HttpServer, connected, environment_of, serving
from support import ask, refusal

from warmer.errors import WarmerError
from warmer_server.oauth import SKEW, IssuerKeys, JwtVerifier, make_verifier
from warmer_server.settings import read_settings

pytestmark = pytest.mark.anyio
RESOURCE = "https://search.example.com/mcp"
ALL = "search feedback train"


class Issuer:
    """An authorization server as far as a resource server sees it: metadata and keys, which may change."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.fetched = 0
        self.url = ""

    def add_key(self, kid: str, kind: str = "ES256") -> None:
        make: dict[str, Callable[[], Any]] = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }
        self.keys[kid] = (kind, make[kind]())

    def jwks(self) -> dict[str, Any]:
        told = []
        for kid, (kind, key) in self.keys.items():
            algorithm = jwt.get_algorithm_by_name(kind)
            public = json.loads(algorithm.to_jwk(key.public_key()))
            told.append({**public, "kid": kid, "alg": kind, "use": "sig"})
        return {"keys": told}

    def token(self, kid: str = "k1", header: dict[str, Any] | None = None, **claims: Any) -> str:
        kind, key = self.keys[kid]
        now = int(time())
        told = {"iss": self.url, "aud": RESOURCE, "sub": "ann", "client_id": "chat", "scope": ALL}
        told |= {"iat": now, "exp": now + 600} | claims
        kept = {name: value for name, value in told.items() if value is not None}
        return jwt.encode(kept, key, kind, headers={"kid": kid, "typ": "at+jwt", **(header or {})})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    issuer.add_key("k1")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/jwks":
                issuer.fetched += 1
            told = {
                "/.well-known/oauth-authorization-server": {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/jwks"},
                "/jwks": issuer.jwks(),
            }.get(self.path)
            self.send_response(200 if told else 404)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield issuer
        server.shutdown()


@pytest.fixture(scope="module")
def server(issuer: Issuer, made_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    folder = tmp_path_factory.mktemp("oauth")
    (folder / "collections").symlink_to(made_once / "collections")
    environment = environment_of(folder, WARMER_OAUTH_ISSUER=issuer.url, WARMER_OAUTH_RESOURCE=RESOURCE)
    with serving(environment) as running:
        yield running


def verifier(issuer: Issuer) -> JwtVerifier:
    return JwtVerifier(issuer.url, RESOURCE, RESOURCE, IssuerKeys(issuer.url))


async def test_a_good_token_says_who_calls_and_what_is_allowed(issuer: Issuer) -> None:
    told: list[tuple[dict[str, Any], list[str]]] = [
        ({"scope": "train search openid"}, ["search", "train"]),
        ({"scope": None, "scp": ["feedback"]}, ["feedback"]),
        ({"scope": ""}, []),
        ({"aud": ["https://other.example.com", RESOURCE]}, ALL.split()),
    ]
    for claims, scopes in told:
        caller = await verifier(issuer).verify_token(issuer.token(**claims))
        assert caller
        assert (caller.scopes, caller.subject, caller.client_id) == (scopes, "ann", "chat")
        assert caller.claims == {"iss": issuer.url, "collections": [], "filter": {}}
    limits: dict[str, Any] = {
        "warmer_collections": "a, b",
        "warmer_filter": {"must": [{"key": "t", "match": {"value": 1}}]},
    }
    limited = await verifier(issuer).verify_token(issuer.token(**limits))
    assert limited
    assert limited.claims
    assert (limited.claims["collections"], limited.claims["filter"]) == (["a", "b"], limits["warmer_filter"])


def refused_tokens(issuer: Issuer) -> dict[str, str]:
    now = int(time())
    other = Issuer()
    other.url = issuer.url
    other.add_key("k1")
    public = str(issuer.jwks()["keys"][0]["x"]) * 2
    claims = {"iss": issuer.url, "aud": RESOURCE, "sub": "ann", "exp": now + 600, "scope": ALL}
    good = issuer.token()
    return {
        "expired": issuer.token(exp=now - SKEW - 5),
        "not valid yet": issuer.token(nbf=now + SKEW + 60),
        "issued in the future": issuer.token(iat=now + SKEW + 60),
        "for another server": issuer.token(aud="https://other.example.com/mcp"),
        "for a server of a similar name": issuer.token(aud=RESOURCE + "2"),
        "of another issuer": issuer.token(iss="https://evil.example.com"),
        "without an audience": issuer.token(aud=None),
        "without an issuer": issuer.token(iss=None),
        "without an end": issuer.token(exp=None),
        "of nobody": issuer.token(sub=None, client_id=None),
        "signed by another": other.token(),
        "not signed": jwt.encode(claims, "", "none", headers={"kid": "k1"}),
        "signed with the public key as a secret": jwt.encode(claims, public, "HS256", headers={"kid": "k1"}),
        "of a key that is unknown": jwt.encode(claims, other.keys["k1"][1], "ES256", headers={"kid": "k9"}),
        "changed": good[:-6] + "AAAAAA",
        "cut": good.rpartition(".")[0],
        "no token": "wt_x",
        "empty": "",
        "limited by what is no list": issuer.token(warmer_collections=3),
        "limited to nothing": issuer.token(warmer_collections=[]),
        "limited by what is not a filter": issuer.token(warmer_filter={"must": 3}),
        "limited by an empty filter": issuer.token(warmer_filter={}),
    }


async def test_no_other_token_is_good(issuer: Issuer) -> None:
    one = verifier(issuer)
    for what, token in refused_tokens(issuer).items():
        assert await one.verify_token(token) is None, what
    assert await one.verify_token(issuer.token())
    assert await one.verify_token(issuer.token(exp=int(time()) - SKEW + 20, nbf=int(time()) + SKEW - 20))


@pytest.mark.parametrize("kind", ["RS256", "ES256", "EdDSA"])
async def test_keys_of_each_kind_may_change_at_any_time(issuer: Issuer, kind: str) -> None:
    one = verifier(issuer)
    assert await one.verify_token(issuer.token())
    issuer.add_key("k2", kind)
    assert await one.verify_token(issuer.token("k2")), "a new key is fetched at once"
    retired = issuer.token("k2")
    del issuer.keys["k2"]
    assert await verifier(issuer).verify_token(retired) is None


async def test_a_token_need_not_name_its_key_and_a_name_may_get_another_key(issuer: Issuer) -> None:
    one = verifier(issuer)
    issuer.add_key("k3")
    assert await one.verify_token(issuer.token("k3", header={"kid": ""})), "some servers name none"
    issuer.add_key("k3")
    assert await one.verify_token(issuer.token("k3")), "a server that began anew"
    del issuer.keys["k3"]


async def test_unknown_keys_do_not_wear_out_the_issuer(issuer: Issuer) -> None:
    one = verifier(issuer)
    key = issuer.keys["k1"][1]
    before = issuer.fetched
    assert await one.verify_token(issuer.token())
    for number in range(40):
        assert await one.verify_token(jwt.encode({"sub": "x"}, key, "ES256", headers={"kid": f"u{number}"})) is None
    assert issuer.fetched - before <= 7
    assert await one.verify_token(issuer.token()), "known keys stay"


async def test_an_issuer_that_is_not_there_lets_nobody_in_and_is_no_fault_of_ours() -> None:
    one = JwtVerifier("http://127.0.0.1:9", RESOURCE, RESOURCE, IssuerKeys("http://127.0.0.1:9"))
    token = jwt.encode({"sub": "x"}, ec.generate_private_key(ec.SECP256R1()), "ES256", headers={"kid": "k1"})
    assert await one.verify_token(token) is None


def test_metadata_says_where_tokens_come_from(issuer: Issuer, server: HttpServer) -> None:
    refused = httpx2.post(server.url, json={}, timeout=30)
    where = "https://search.example.com/.well-known/oauth-protected-resource/mcp"
    assert refused.status_code == 401
    assert f'resource_metadata="{where}"' in refused.headers["www-authenticate"]
    told = server.get("/.well-known/oauth-protected-resource/mcp").json()
    assert told["resource"] == RESOURCE
    assert told["authorization_servers"] == [issuer.url]
    assert told["scopes_supported"] == ["search", "feedback", "train"]
    bad = httpx2.post(server.url, json={}, headers={"authorization": f"Bearer {issuer.token(exp=1)}"}, timeout=30)
    assert bad.status_code == 401


async def test_scopes_are_the_tools(issuer: Issuer, server: HttpServer) -> None:
    async with connected(server.url, issuer.token(scope="search feedback")) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["search", "give_feedback"]
        found = await ask(client, "search", query="bread")
        assert (await ask(client, "give_feedback", search_id=found["search_id"], scores=[9, 0]))["ranking"]
        assert "lacks the scope 'train'" in await refusal(client, "train_params")
    async with connected(server.url, issuer.token(sub="bob")) as other:
        assert "unknown" in await refusal(other, "give_feedback", search_id=found["search_id"], scores=[9])


async def test_train_alone_reads_no_passages(issuer: Issuer, server: HttpServer) -> None:
    queries = [f"bread {n}" for n in range(25)]
    async with connected(server.url, issuer.token(scope="train")) as client:
        listed = await client.list_tools()
        assert [tool.name for tool in listed.tools] == ["train_params"]
        started = await client.call_tool("train_params", {"queries": queries, "limit": 5})
        assert not started.is_error, started.content
        assert started.structured_content
        assert started.structured_content["status"] == "needs_scores"
        assert started.structured_content["to_score"] == []
        assert "may not read passages" in started.structured_content["next"]
        texts = [hit["text"] for hit in await first_hits(server, issuer)]
        for reply in (listed, started):
            assert not [text for text in texts if text[:40] in reply.model_dump_json()]
        for tool in ("search", "give_feedback"):
            assert f"may not use {tool}" in await refusal(client, tool, query="bread", search_id="s_x")
    async with connected(server.url, issuer.token(scope="train search")) as client:
        again = await ask(client, "train_params", job_id=started.structured_content["job_id"])
        assert again["to_score"], "the same person may read them with a token that says so"


async def first_hits(server: HttpServer, issuer: Issuer) -> list[dict[str, Any]]:
    async with connected(server.url, issuer.token(scope="search")) as client:
        hits: list[dict[str, Any]] = (await ask(client, "search", query="bread 1", limit=36))["hits"]
        return hits


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"WARMER_OAUTH_ISSUER": "https://a.example.com"}, "WARMER_OAUTH_RESOURCE is not set"),
        ({"WARMER_OAUTH_RESOURCE": RESOURCE}, "WARMER_OAUTH_ISSUER is not set"),
        ({"WARMER_OAUTH_ISSUER": "http://a.example.com", "WARMER_OAUTH_RESOURCE": RESOURCE}, "begins with https://"),
        ({"WARMER_OAUTH_ISSUER": "https://a.example.com", "WARMER_OAUTH_RESOURCE": "x"}, "begins with https://"),
    ],
)
def test_half_set_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], said: str
) -> None:
    for name, value in {"WARMER_DATA_DIR": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WarmerError, match=said):
        make_verifier(read_settings())
