"""openai-agents: tools with schemas made strict, invoked as a model's function calls are."""

import asyncio
import json
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

sys.path.insert(0, sys.argv[2])
from clients.sdks.scenario import play, say, server


async def main() -> None:
    agents: Any = import_module("agents")
    servers: Any = import_module("agents.mcp")
    contexts: Any = import_module("agents.tool_context")
    command, *arguments = server()["command"]
    parameters = {"command": command, "args": arguments, "env": server()["env"]}
    async with servers.MCPServerStdio(parameters, client_session_timeout_seconds=60) as one:
        context = agents.RunContextWrapper(context=None)
        agent = agents.Agent(name="test", mcp_servers=[one])
        tools = await servers.MCPUtil.get_all_function_tools([one], True, context, agent)
        by_name = {tool.name: tool for tool in tools}

        async def call(tool: str, arguments: dict[str, Any]) -> str:
            sent = json.dumps(arguments)
            told = contexts.ToolContext(context=None, tool_name=tool, tool_call_id="call_1", tool_arguments=sent)
            return str(await by_name[tool].on_invoke_tool(told, sent))

        told = await play(call)
    loose = [tool.name for tool in tools if not tool.strict_json_schema]
    told["schema"] = f"not strict: {loose}" if loose else ""
    say({"version": version("openai-agents"), "tools": list(by_name), "told": told})


asyncio.run(main())
