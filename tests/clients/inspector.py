"""The MCP Inspector's command line: a process for each request."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any


def drive(inspector: Sequence[str], server: dict[str, Any], asked: dict[str, str]) -> dict[str, Any]:
    """Ask all that the other clients ask, but for completions, which it has not."""

    def ask(method: str, *options: str) -> Any:
        era = ["--protocol-era", asked["era"]] if asked["era"] else []
        done = subprocess.run(
            [*inspector, "--cli", *_target(server, last=bool(era)), "--method", method, *era, *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise AssertionError(f"{method} ended with {done.returncode}: {done.stderr[-500:] or done.stdout[-500:]}")
        return json.loads(done.stdout)

    def call(tool: str, *arguments: str) -> Any:
        pairs = [part for argument in arguments for part in ("--tool-arg", argument)]
        return ask("tools/call", "--tool-name", tool, *pairs)["structuredContent"]

    found = call("search", f"query={asked['query']}")
    hit = found["hits"][0]
    steered = call("give_feedback", f"search_id={found['search_id']}", 'scores={"1": 9, "2": 0}')
    uri = f"warmer://collections/{asked['collection']}/passages/{hit['id']}"
    strict = ["--strict"] if asked["era"] else []
    prompt = ask("prompts/get", "--prompt-name", "research", "--prompt-args", f"question={asked['query']}")
    return {
        "protocol": asked["era"] or "legacy",
        "tools": [tool["name"] for tool in ask("tools/list", *strict)["tools"]],
        "hit": hit["text"],
        "outcome": steered["outcome"],
        "resources": [resource["uri"] for resource in ask("resources/list")["resources"]],
        "templates": len(ask("resources/templates/list")["resourceTemplates"]),
        "passage": json.loads(ask("resources/read", "--uri", uri)["contents"][0]["text"])["text"],
        "prompts": [one["name"] for one in ask("prompts/list")["prompts"]],
        "prompt": prompt["messages"][0]["content"]["text"],
    }


def _target(server: dict[str, Any], *, last: bool) -> list[str]:
    """Name the server; the newer Inspector wants options of a command behind `--`."""
    if "url" in server:
        headers = [f"{name}: {value}" for name, value in server["headers"].items()]
        return [server["url"], "--transport", "http", "--header", *headers]
    command, *arguments = server["command"]
    variables = [part for name, value in server["env"].items() for part in ("-e", f"{name}={value}")]
    return [*variables, command, *arguments] if not last else [command, *arguments, *variables]
