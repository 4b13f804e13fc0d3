"""An authorization server of Authlib on Flask, run in its own environment: `python authorization_server.py PORT`.

It registers clients (RFC 7591), asks nobody for consent, wants PKCE, and signs access tokens (RFC 9068) for the
resource that the client names (RFC 8707). `/rotate` replaces its key.
"""

import sys
import time
from importlib import import_module
from types import SimpleNamespace
from typing import Any

flask: Any = import_module("flask")
oauth: Any = import_module("authlib.integrations.flask_oauth2")
grants: Any = import_module("authlib.oauth2.rfc6749.grants")
pkce: Any = import_module("authlib.oauth2.rfc7636")
registration: Any = import_module("authlib.oauth2.rfc7591")
tokens: Any = import_module("authlib.oauth2.rfc9068")
wrappers: Any = import_module("authlib.oauth2.rfc6749")
jwk: Any = import_module("joserfc.jwk")

PORT = int(sys.argv[1])
ISSUER = f"http://127.0.0.1:{PORT}"
SCOPES = ["search", "feedback", "train"]
app = flask.Flask(__name__)
keys: list[Any] = []
clients: dict[str, Any] = {}
codes: dict[str, Any] = {}
USER = SimpleNamespace(get_user_id=lambda: "ann")


def add_key() -> None:
    number = f"k{len(keys) + 1}"
    keys[:] = [jwk.RSAKey.generate_key(2048, {"kid": number, "use": "sig", "alg": "RS256"})]


class Client(wrappers.ClientMixin):  # type: ignore[misc]
    def __init__(self, info: dict[str, Any], metadata: dict[str, Any]) -> None:
        self.client_info, self.client_metadata = info, metadata
        self.client_id = info["client_id"]

    def get_client_id(self) -> str:
        return str(self.client_id)

    def get_default_redirect_uri(self) -> str:
        return str(self.client_metadata["redirect_uris"][0])

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(one for one in (scope or "").split() if one in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.client_metadata["redirect_uris"]

    def check_client_secret(self, client_secret: str) -> bool:
        return bool(client_secret == self.client_info.get("client_secret"))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002
        return True

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"authorization_code", "refresh_token"}


class Code(SimpleNamespace):
    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ["none", "client_secret_post", "client_secret_basic"]  # noqa: RUF012

    def save_authorization_code(self, code: str, request: Any) -> None:
        told = request.payload
        codes[code] = Code(
            code=code,
            client_id=request.client.client_id,
            redirect_uri=told.redirect_uri,
            scope=told.scope,
            code_challenge=told.data.get("code_challenge"),
            code_challenge_method=told.data.get("code_challenge_method"),
        )

    def query_authorization_code(self, code: str, client: Any) -> Any:
        found = codes.get(code)
        return found if found and found.client_id == client.client_id else None

    def delete_authorization_code(self, authorization_code: Any) -> None:
        del codes[authorization_code.code]

    def authenticate_user(self, authorization_code: Any) -> Any:  # noqa: ARG002
        return USER


class Tokens(tokens.JWTBearerTokenGenerator):  # type: ignore[misc]
    def get_jwks(self) -> Any:
        return keys[0]

    def get_audiences(self, client: Any, user: Any, scope: str) -> str:
        return str(flask.request.form.get("resource") or super().get_audiences(client, user, scope))


class Registration(registration.ClientRegistrationEndpoint):  # type: ignore[misc]
    def authenticate_token(self, request: Any) -> bool:  # noqa: ARG002
        return True

    def save_client(self, client_info: dict[str, Any], client_metadata: dict[str, Any], request: Any) -> Client:  # noqa: ARG002
        client = Client(client_info, client_metadata)
        clients[client.client_id] = client
        return client

    def get_server_metadata(self) -> dict[str, Any]:
        return metadata()


server = oauth.AuthorizationServer(app, clients.get, lambda token, request: None)  # noqa: ARG005
server.register_grant(CodeGrant, [pkce.CodeChallenge(required=True)])
server.register_token_generator("default", Tokens(issuer=ISSUER))
server.register_endpoint(Registration)


def metadata() -> dict[str, Any]:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "registration_endpoint": f"{ISSUER}/register",
        "jwks_uri": f"{ISSUER}/jwks",
        "scopes_supported": SCOPES,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
    }


def jwks() -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def register() -> Any:
    return server.create_endpoint_response("client_registration")


def authorize() -> Any:
    return server.create_authorization_response(grant_user=USER, grant=server.get_consent_grant(end_user=USER))


def rotate() -> dict[str, float]:
    add_key()
    return {"rotated": time.time()}


app.get("/.well-known/oauth-authorization-server")(metadata)
app.get("/jwks")(jwks)
app.post("/token")(server.create_token_response)
app.post("/register")(register)
app.get("/authorize")(authorize)
app.post("/rotate")(rotate)
add_key()
app.run("127.0.0.1", PORT, threaded=True)
