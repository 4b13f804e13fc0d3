"""langchain-mcp-adapters: tools as its model classes for Gemini and OpenAI bind them."""

import asyncio
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Any

sys.path.insert(0, sys.argv[2])
from clients.sdks.scenario import play, say, server


async def main() -> None:
    adapters: Any = import_module("langchain_mcp_adapters.client")
    google: Any = import_module("langchain_google_genai")
    openai: Any = import_module("langchain_openai")
    command, *arguments = server()["command"]
    connection = {"transport": "stdio", "command": command, "args": arguments, "env": server()["env"]}
    client = adapters.MultiServerMCPClient({"warmer": connection})
    async with client.session("warmer") as session:
        tools = await import_module("langchain_mcp_adapters.tools").load_mcp_tools(session)
        by_name = {tool.name: tool for tool in tools}

        async def call(tool: str, arguments: dict[str, Any]) -> str:
            asked = {"type": "tool_call", "id": "call_1", "name": tool, "args": arguments}
            return str((await by_name[tool].ainvoke(asked)).content)

        told = await play(call)
    gemini = google.ChatGoogleGenerativeAI(model="gemini-2.5-flash", google_api_key="none").bind_tools(tools)
    strict = openai.ChatOpenAI(api_key="none").bind_tools(tools, strict=True)
    told["schema"] = "" if len(gemini.kwargs["tools"]) and len(strict.kwargs["tools"]) == len(tools) else "not bound"
    say({"version": version("langchain-mcp-adapters"), "tools": list(by_name), "told": told})


asyncio.run(main())
