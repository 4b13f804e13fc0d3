"""smolagents: tools as an agent's code calls them, every argument given."""

import asyncio
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

sys.path.insert(0, sys.argv[2])
from clients.sdks.scenario import play, say, server


def main() -> None:
    smolagents: Any = import_module("smolagents")
    mcp: Any = import_module("mcp")
    command, *arguments = server()["command"]
    parameters = mcp.StdioServerParameters(command=command, args=arguments, env=server()["env"])
    with smolagents.MCPClient(parameters, structured_output=False) as tools:
        by_name = {tool.name: tool for tool in tools}

        async def call(tool: str, arguments: dict[str, Any]) -> str:
            return str(by_name[tool](**arguments))

        told = asyncio.run(play(call))
        inputs = by_name["give_feedback"].inputs
        told["schema"] = "" if all(schema.get("description") for schema in inputs.values()) else f"lost: {inputs}"
        say({"version": version("smolagents"), "tools": list(by_name), "told": told})


main()
