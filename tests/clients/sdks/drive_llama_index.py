"""llama-index-tools-mcp: tools as function tools, whose arguments it gives in full."""

import asyncio
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

sys.path.insert(0, sys.argv[2])
from clients.sdks.scenario import play, say, server


async def main() -> None:
    mcp: Any = import_module("llama_index.tools.mcp")
    command, *arguments = server()["command"]
    client = mcp.BasicMCPClient(command, args=arguments, env=server()["env"], timeout=60)
    tools = await mcp.McpToolSpec(client=client).to_tool_list_async()
    by_name = {tool.metadata.name: tool for tool in tools}

    async def call(tool: str, arguments: dict[str, Any]) -> str:
        return str((await by_name[tool].acall(**arguments)).content)

    told = await play(call)
    parameters = by_name["give_feedback"].metadata.get_parameters_dict()["properties"]
    told["schema"] = "" if all("description" in schema for schema in parameters.values()) else f"lost: {parameters}"
    say({"version": version("llama-index-tools-mcp"), "tools": list(by_name), "told": told})


asyncio.run(main())
