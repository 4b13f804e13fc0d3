"""google-genai: tools as Gemini is given them, called through the SDK's own adapter."""

import asyncio
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

sys.path.insert(0, sys.argv[2])
from clients.sdks.scenario import play, say, server


async def main() -> None:
    mcp: Any = import_module("mcp")
    stdio: Any = import_module("mcp.client.stdio")
    adapters: Any = import_module("google.genai._adapters")
    types: Any = import_module("google.genai.types")
    command, *arguments = server()["command"]
    parameters = mcp.StdioServerParameters(command=command, args=arguments, env=server()["env"])
    async with stdio.stdio_client(parameters) as streams, mcp.ClientSession(*streams) as session:
        await session.initialize()
        adapter = adapters.McpToGenAiToolAdapter(session, await session.list_tools())
        declared = [one for tool in adapter.tools for one in tool.function_declarations]

        async def call(tool: str, arguments: dict[str, Any]) -> str:
            result = await adapter.call_tool(types.FunctionCall(name=tool, args=arguments))
            return str(result.model_dump_json(exclude_none=True))

        told = await play(call)
    bare = [one.name for one in declared for part in one.parameters.properties.values() if not part.description]
    scores = next(one for one in declared if one.name == "give_feedback").parameters.properties["scores"]
    told["schema"] = "" if not bare and scores.items.properties else f"lost: {bare or 'scores'}"
    say({"version": version("google-genai"), "tools": [one.name for one in declared], "told": told})


asyncio.run(main())
