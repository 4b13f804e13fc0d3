"""What the caller of a tool may do: the tools in its scopes, on its collections, through its filter, with its handles.

The caller is an `AccessToken` of the SDK, whoever verified it: `StoredTokens` here, an OAuth verifier elsewhere, as
long as its `scopes` name tools, and its `claims` have `collections` and `filter` where there are limits.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcp import MCPError
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import (
    INVALID_REQUEST,
    CallToolResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    TextContent,
)

from warmer.index.restricted import RestrictedCollections
from warmer.journal.tenancy import TenantJobs, TenantJournal, TenantParameters, namespace_of, owner_namespace
from warmer_server.tokens import SCOPES, Scope, Tokens
from warmer_tools.workspace import Workspace

NEEDED: Mapping[str, Scope] = {"search": "search", "give_feedback": "feedback", "train_params": "train"}
assert set(NEEDED.values()) == set(SCOPES)
# What else shows collections, or is of no use without a search; what takes a list gets an empty one.
_OF_SEARCH = {
    "resources/list": ListResourcesResult(resources=[]),
    "resources/templates/list": ListResourceTemplatesResult(resource_templates=[]),
    "prompts/list": ListPromptsResult(prompts=[]),
    "resources/read": None,
    "prompts/get": None,
    "completion/complete": None,
}


class StoredTokens:
    """The SDK's `TokenVerifier` on tokens that are kept here."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def verify_token(self, token: str) -> AccessToken | None:
        """Say whose a token is, and what it may do; None for one that is unknown or has expired."""
        if (found := self._tokens.find(token)) is None:
            return None
        claims = {"collections": list(found.collections), "filter": found.where}
        return AccessToken(
            token=token, client_id=found.name, subject=found.name, scopes=list(found.scopes), claims=claims
        )


class Admission:
    """Middleware that gives each call the workspace of its caller, and refuses tools that are not in its scopes.

    Args:
        default: The collection that is searched where none is named.
    """

    def __init__(self, default: str) -> None:
        self._default = default

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Answer a call, or let it through."""
        caller = get_access_token()
        if caller is None:
            raise MCPError(INVALID_REQUEST, "no bearer token came with the call")
        if ctx.method == "tools/call" and (refused := _refuse(caller, str((ctx.params or {}).get("name")))):
            return refused
        if ctx.method in _OF_SEARCH and "search" not in caller.scopes:
            if nothing := _OF_SEARCH[ctx.method]:
                return nothing
            raise MCPError(INVALID_REQUEST, f"{ctx.method} needs a token with the scope 'search'")
        result = await call_next(replace(ctx, lifespan_context=limited(ctx.lifespan_context, caller, self._default)))
        listed = ctx.method == "tools/list" and result is not None  # None answers a notification
        return _listed(result, caller) if listed else result


def limited(workspace: Workspace, caller: AccessToken, default: str = "") -> Workspace:
    """Give a caller's view of a workspace."""
    claims = caller.claims or {}
    where = dict(claims.get("filter") or {})
    owner = " ".join(part for part in (claims.get("iss"), caller.client_id, caller.subject) if part)
    namespace = namespace_of(where)
    return replace(
        workspace,
        collections=RestrictedCollections(
            workspace.collections, frozenset(claims.get("collections") or ()), where, default
        ),
        journal=TenantJournal(workspace.journal, namespace, owner),
        parameters=TenantParameters(workspace.parameters, namespace),
        jobs=TenantJobs(TenantJobs(workspace.jobs, namespace), owner_namespace(owner)),
        owner=owner,
    )


def _refuse(caller: AccessToken, tool: str) -> CallToolResult | None:
    needed = NEEDED.get(tool)
    if needed is None or needed in caller.scopes:
        return None
    said = f"this token may not use {tool}: it lacks the scope {needed!r} and has {', '.join(caller.scopes)}"
    return CallToolResult(content=[TextContent(type="text", text=said)], is_error=True)


def _listed(result: HandlerResult, caller: AccessToken) -> HandlerResult:
    listed = result if isinstance(result, ListToolsResult) else ListToolsResult.model_validate(result)
    tools = [tool for tool in listed.tools if NEEDED.get(tool.name) in caller.scopes]
    return listed.model_copy(update={"tools": tools})
