#!/usr/bin/env bash
# Guess, written down before this was run: an argument of an MCP tool that is one of several kinds reaches the model as
# such: `oneOf` becomes `anyOf`, which Gemini's function declarations and Pydantic's models both have.
#
# What happens: Pydantic writes `anyOf` for a union and `oneOf` for one with a discriminator, as its documentation
# advises for objects that have a field with their kind. The first arrives; of the second google-genai declares no type
# and no fields at all, and LlamaIndex declares a string. The tool loads and can be called, but the model is not told
# what a filter looks like and leaves it out or makes one up. (`const` is lost in both, so that not even `anyOf` tells
# the model what the kinds are called.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mcp==2.3.0 google-genai==3.6.1 \
  llama-index-tools-mcp==0.6.0
"$folder/venv/bin/python" - <<'PYTHON' 2>"$folder/notes" || { cat "$folder/notes"; exit 1; }
import asyncio
import json
import sys
from importlib.metadata import version
from typing import Annotated, Literal

import mcp
from google.genai._mcp_utils import mcp_to_gemini_tool  # what generate_content makes of a session's tools
from llama_index.tools.mcp import McpToolSpec
from mcp.server import MCPServer
from pydantic import BaseModel, Field


class Years(BaseModel):
    kind: Literal["years"]
    first: int
    last: int


class Language(BaseModel):
    kind: Literal["language"]
    code: str


server = MCPServer("documents")


@server.tool()
def union(query: str, filter: Years | Language) -> str:
    return ""


@server.tool()
def discriminated(query: str, filter: Annotated[Years | Language, Field(discriminator="kind")]) -> str:
    return ""


async def main():
    print(*(f"{name} {version(name)}" for name in ("mcp", "google-genai", "llama-index-tools-mcp")))
    told = {}
    async with mcp.Client(server) as client:
        tools = (await client.list_tools()).tools
        for tool, made in zip(tools, await McpToolSpec(client).to_tool_list_async(), strict=True):
            sent = tool.input_schema
            gemini = mcp_to_gemini_tool(tool).function_declarations[0].parameters.properties["filter"]
            llama = made.metadata.get_parameters_dict()
            declared = {
                "google-genai": json.dumps(gemini.model_dump(mode="json", exclude_none=True)),
                "LlamaIndex": json.dumps([llama["properties"]["filter"], llama.get("$defs", {})]),
            }
            print(f"\n{tool.name}: the server sends {json.dumps(sent['properties']['filter'])}")
            for sdk, text in declared.items():
                told[tool.name, sdk] = all(f'"{field}"' in text for field in ("first", "last", "code"))
                told[tool.name, sdk, "kinds"] = '"years"' in text
                print(f"{tool.name}: {sdk} declares {text}")
    kept = {("union", "google-genai"), ("union", "LlamaIndex")}
    expected = {key: key in kept for key in told}
    if told != expected:
        sys.exit("the behaviour has changed")


asyncio.run(main())
PYTHON
