"""Authorization: restrict a caller to its tools, collections, filter and handles.

The caller is an `AccessToken` of the SDK. `StoredTokenVerifier` makes it here; an OAuth verifier can take its place if
its `scopes` name tools and its `claims` carry the limits as `collections` and `filter`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mcp import MCPError
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import (
    INVALID_REQUEST,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
)

from warmer.index.restricted import RestrictedCollections
from warmer.journal.tenancy import TenantJobs, TenantJournal, TenantParameters, namespace_of, owner_namespace
from warmer_server.faults import refused
from warmer_server.tokens import SCOPES, Scope, Tokens
from warmer_tools.workspace import Workspace

REQUIRED_SCOPE: Mapping[str, Scope] = {"search": "search", "give_feedback": "feedback", "train_params": "train"}
assert set(REQUIRED_SCOPE.values()) == set(SCOPES)
# Methods that show collections or only make sense with search, and what a caller without the scope gets instead:
# an empty list, or an error for None.
_SEARCH_METHODS = {
    "resources/list": ListResourcesResult(resources=[]),
    "resources/templates/list": ListResourceTemplatesResult(resource_templates=[]),
    "prompts/list": ListPromptsResult(prompts=[]),
    "resources/read": None,
    "prompts/get": None,
    "completion/complete": None,
}


class StoredTokenVerifier:
    """The SDK's `TokenVerifier` over the tokens in the settings."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the owner and rights of a token, or None if it is unknown or expired."""
        if (found := self._tokens.find(token)) is None:
            return None
        claims = {"collections": list(found.collections), "filter": found.where}
        return AccessToken(
            token=token, client_id=found.name, subject=found.name, scopes=list(found.scopes), claims=claims
        )


class Authorization:
    """MCP middleware that refuses tools outside the caller's scopes and restricts the workspace of each call.

    Args:
        default: Collection to search when a call names none.
        tool_prefix: What the names of the tools begin with.
    """

    def __init__(self, default: str, tool_prefix: str = "") -> None:
        self._default = default
        self._required = {tool_prefix + tool: scope for tool, scope in REQUIRED_SCOPE.items()}

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Pass a permitted call on with its caller's workspace; answer any other.

        Raises:
            MCPError: The call has no token, or needs the scope `search`.
        """
        caller = get_access_token()
        if caller is None:
            raise MCPError(INVALID_REQUEST, "no bearer token came with the call")
        tool = str((ctx.params or {}).get("name"))
        if ctx.method == "tools/call" and (lacking := self._lacking(caller, tool)):
            return refused(
                f"this token may not use {tool}: it lacks the scope {lacking!r} and has {', '.join(caller.scopes)}"
            )
        if ctx.method in _SEARCH_METHODS and "search" not in caller.scopes:
            if empty := _SEARCH_METHODS[ctx.method]:
                return empty
            raise MCPError(INVALID_REQUEST, f"{ctx.method} needs a token with the scope 'search'")
        result = await call_next(
            replace(ctx, lifespan_context=restrict_workspace(ctx.lifespan_context, caller, self._default))
        )
        is_tool_list = ctx.method == "tools/list" and result is not None  # None answers a notification
        return self._permitted_tools(result, caller) if is_tool_list else result

    def _lacking(self, caller: AccessToken, tool: str) -> str | None:
        required = self._required.get(tool)
        return None if required in caller.scopes else required

    def _permitted_tools(self, result: HandlerResult, caller: AccessToken) -> HandlerResult:
        listed = result if isinstance(result, ListToolsResult) else ListToolsResult.model_validate(result)
        tools = [tool for tool in listed.tools if self._required.get(tool.name) in caller.scopes]
        return listed.model_copy(update={"tools": tools})


def restrict_workspace(workspace: Workspace, caller: AccessToken, default: str = "") -> Workspace:
    """Return a workspace that holds only what the caller may see."""
    claims = caller.claims or {}
    where = dict(claims.get("filter") or {})
    owner = _owner(claims.get("iss"), caller.client_id, caller.subject)
    namespace = namespace_of(where)
    journal = TenantJournal(workspace.journal, namespace, owner)
    return replace(
        workspace,
        collections=RestrictedCollections(
            workspace.collections, frozenset(claims.get("collections") or ()), where, default
        ),
        journal=journal,
        memory=workspace.memory and workspace.memory.within(journal, namespace.suffix, owner),
        parameters=TenantParameters(workspace.parameters, namespace),
        jobs=TenantJobs(TenantJobs(workspace.jobs, namespace), owner_namespace(owner)),
        owner=owner,
        may_read="search" in caller.scopes,
    )


def _owner(issuer: str | None, client: str, subject: str | None) -> str:
    """Name the owner of a call: a token's name; of a login its parts, in such a form that they cannot run together."""
    return json.dumps([issuer, client, subject]) if issuer else client
