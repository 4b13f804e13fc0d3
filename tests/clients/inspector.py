"""Drive the command line of the MCP Inspector, one process per request."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any


def drive(inspector: Sequence[str], server: dict[str, Any], asked: dict[str, str]) -> dict[str, Any]:
    """Make the same requests as the other clients, except completions, which the Inspector lacks."""
    old = asked["era"] == "old"

    def ask(method: str, *options: str) -> Any:
        era = [] if old else ["--protocol-era", asked["era"]]
        done = subprocess.run(
            [*inspector, "--cli", *_target(server, old=old), "--method", method, *era, *options],
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

    found = call("search", f"query={asked['query']}", "include_ids=true")
    hit = found["hits"][0]
    steered = call("give_feedback", f"search_id={found['search_id']}", 'scores={"1": 9, "2": 0}')
    uri = f"warmer://collections/{asked['collection']}/passages/{hit['id']}"
    strict = [] if old else ["--strict"]
    prompt = ask("prompts/get", "--prompt-name", "research", "--prompt-args", f"question={asked['query']}")
    return {
        "protocol": "legacy" if old else asked["era"],
        "tools": [tool["name"] for tool in ask("tools/list", *strict)["tools"]],
        "hit": hit["text"],
        "outcome": steered["outcome"],
        "resources": [resource["uri"] for resource in ask("resources/list")["resources"]],
        "templates": len(ask("resources/templates/list")["resourceTemplates"]),
        "passage": json.loads(ask("resources/read", "--uri", uri)["contents"][0]["text"])["text"],
        "prompts": [one["name"] for one in ask("prompts/list")["prompts"]],
        "prompt": prompt["messages"][0]["content"]["text"],
    }


def _target(server: dict[str, Any], *, old: bool) -> list[str]:
    """Return the arguments that name the server. The old Inspector cannot send a token; the new reads options last."""
    if "url" in server:
        headers = [f"{name}: {value}" for name, value in server["headers"].items()]
        http = ["--transport", "http"]
        return [server["unguarded"], *http] if old else [server["url"], *http, "--header", *headers]
    variables = [part for name, value in server["env"].items() for part in ("-e", f"{name}={value}")]
    return [*variables, *server["command"]] if old else [*server["command"], *variables]
