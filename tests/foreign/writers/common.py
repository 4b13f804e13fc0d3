"""What each writer is told, and vectors from the embedding model that the check serves as OpenAI's API."""

import json
import sys
import urllib.request

ASKED = json.loads(sys.argv[1])
URL, NAME, DOCUMENTS, OPENAI = ASKED["url"], ASKED["name"], ASKED["documents"], ASKED["openai"]
PASSAGES = [(source, n, text) for source, texts in DOCUMENTS.items() for n, text in enumerate(texts)]


def embed(texts):
    body = json.dumps({"input": texts, "model": "m"}).encode()
    request = urllib.request.Request(f"{OPENAI}/embeddings", body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return [one["embedding"] for one in json.load(answer)["data"]]
