"""Client of the Python SDK 2.x in either era of the protocol; prints the answers as JSON."""

import json
import sys
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import PromptReference


async def drive(server: dict[str, Any], asked: dict[str, str]) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        if "url" in server:
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=server["headers"], timeout=60))
            streams: Any = streamable_http_client(server["url"], http_client=http)
        else:
            command, *arguments = server["command"]
            streams = StdioServerParameters(command=command, args=arguments, env=server["env"])
        mode: Any = "legacy" if asked["era"] == "legacy" else "auto"
        client = await stack.enter_async_context(Client(streams, mode=mode))
        arguments = {"query": asked["query"], "include_ids": True}
        found: Any = (await client.call_tool("search", arguments)).structured_content
        scores = {"search_id": found["search_id"], "scores": {"1": 9, "2": 0}}
        steered: Any = (await client.call_tool("give_feedback", scores)).structured_content
        hit = found["hits"][0]
        passage: Any = await client.read_resource(f"warmer://collections/{asked['collection']}/passages/{hit['id']}")
        prompt: Any = await client.get_prompt("research", {"question": asked["query"]})
        argument = {"name": "collection", "value": ""}
        return {
            "protocol": str(client.protocol_version),
            "tools": [tool.name for tool in (await client.list_tools()).tools],
            "hit": hit["text"],
            "outcome": steered["outcome"],
            "resources": [resource.uri for resource in (await client.list_resources()).resources],
            "templates": len((await client.list_resource_templates()).resource_templates),
            "passage": json.loads(passage.contents[0].text)["text"],
            "prompts": [one.name for one in (await client.list_prompts()).prompts],
            "prompt": prompt.messages[0].content.text,
            "completion": (await client.complete(PromptReference(name="research"), argument)).completion.values,
        }


if __name__ == "__main__":
    json.dump(anyio.run(drive, json.loads(sys.argv[1]), json.loads(sys.argv[2])), sys.stdout)
