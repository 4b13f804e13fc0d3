"""pydantic-ai: tools with schemas as its profiles for Gemini and OpenAI make them."""

import asyncio
import json
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

sys.path.insert(0, sys.argv[2])
from clients.sdks.scenario import play, say, server


async def main() -> None:
    toolsets: Any = import_module("pydantic_ai.mcp")
    transports: Any = import_module("fastmcp.client.transports")
    google: Any = import_module("pydantic_ai.profiles.google")
    openai: Any = import_module("pydantic_ai.profiles.openai")
    command, *arguments = server()["command"]
    toolset = toolsets.MCPToolset(transports.StdioTransport(command, arguments, env=server()["env"]))
    async with toolset:
        tools = await toolset.list_tools()

        async def call(tool: str, arguments: dict[str, Any]) -> str:
            return json.dumps(await toolset.direct_call_tool(tool, arguments))

        told = await play(call)
    lost = []
    for tool in tools:
        schema = tool.input_schema
        for transformer in (google.GoogleJsonSchemaTransformer, openai.OpenAIJsonSchemaTransformer):
            made = transformer(schema, strict=True).walk()
            lost += [name for name in schema["properties"] if "description" not in made["properties"][name]]
    told["schema"] = f"lost: {lost}" if lost else ""
    say({"version": version("pydantic-ai-slim"), "tools": [tool.name for tool in tools], "told": told})


asyncio.run(main())
