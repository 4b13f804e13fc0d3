"""Client of the Python SDK 1.x, run in its own environment; prints the answers as JSON."""

import json
import sys
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any

import anyio


async def drive(server: dict[str, Any], asked: dict[str, str]) -> dict[str, Any]:
    mcp: Any = import_module("mcp")
    types: Any = import_module("mcp.types")
    async with AsyncExitStack() as stack:
        if "url" in server:
            http: Any = import_module("mcp.client.streamable_http")
            streams = http.streamablehttp_client(server["url"], headers=server["headers"])
        else:
            stdio: Any = import_module("mcp.client.stdio")
            command, *arguments = server["command"]
            parameters = mcp.StdioServerParameters(command=command, args=arguments, env=server["env"])
            streams = stdio.stdio_client(parameters)
        reading, writing, *_ = await stack.enter_async_context(streams)
        session = await stack.enter_async_context(mcp.ClientSession(reading, writing))
        greeted = await session.initialize()
        found = (await session.call_tool("search", {"query": asked["query"], "include_ids": True})).structuredContent
        scores = {"search_id": found["search_id"], "scores": {"1": 9, "2": 0}}
        hit = found["hits"][0]
        uri = f"warmer://collections/{asked['collection']}/passages/{hit['id']}"
        prompt = types.PromptReference(type="ref/prompt", name="research")
        return {
            "protocol": str(greeted.protocolVersion),
            "tools": [tool.name for tool in (await session.list_tools()).tools],
            "hit": hit["text"],
            "outcome": (await session.call_tool("give_feedback", scores)).structuredContent["outcome"],
            "resources": [str(resource.uri) for resource in (await session.list_resources()).resources],
            "templates": len((await session.list_resource_templates()).resourceTemplates),
            "passage": json.loads((await session.read_resource(uri)).contents[0].text)["text"],
            "prompts": [one.name for one in (await session.list_prompts()).prompts],
            "prompt": (await session.get_prompt("research", {"question": asked["query"]})).messages[0].content.text,
            "completion": (await session.complete(prompt, {"name": "collection", "value": ""})).completion.values,
        }


if __name__ == "__main__":
    json.dump(anyio.run(drive, json.loads(sys.argv[1]), json.loads(sys.argv[2])), sys.stdout)
