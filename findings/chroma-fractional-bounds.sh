#!/usr/bin/env bash
# Guess, written down before this was run: a `where` of Chroma compares numbers as numbers, so that whole numbers can be
# compared with 2.5.
#
# What happens: where the stored value is a whole number, what follows the point of the bound is cut off. "2.5 or more"
# finds 2, "less than 2.5" does not, "equal to 2.5" finds 2, and "not equal to 2.5" leaves 2 out; below 0 it is "more
# than -2.5" that misses -2. The same values stored as 2.0 are compared rightly, so that it depends on how a document's
# metadata was written. This is the local client, which keeps metadata in SQLite.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chromadb==1.5.9
"$folder/venv/bin/python" - <<'PYTHON'
import operator
import sys
from importlib.metadata import version

import chromadb

print("chromadb", version("chromadb"))
client = chromadb.EphemeralClient()
stored = {"whole": [-2, 1, 2, 3], "double": [-2.0, 1.0, 2.0, 3.0]}
cases = [("$gte", 2.5), ("$lt", 2.5), ("$eq", 2.5), ("$ne", 2.5), ("$gt", -2.5), ("$gt", 2.5), ("$lte", 2.5)]
plain = {"$gte": operator.ge, "$lte": operator.le}
wrong = {}
for kind, values in stored.items():
    collection = client.create_collection(kind, embedding_function=None)
    ids = [str(n) for n in range(len(values))]
    collection.add(ids=ids, embeddings=[[1.0]] * len(ids), metadatas=[{"rating": value} for value in values])
    for name, bound in cases:
        found = sorted(values[int(n)] for n in collection.get(where={"rating": {name: bound}})["ids"])
        compare = plain.get(name) or getattr(operator, name.removeprefix("$"))
        expected = [value for value in values if compare(value, bound)]
        print(f"{kind} {values} {name} {bound}: found {found}" + ("" if found == expected else f", not {expected}"))
        if found != expected:
            wrong.setdefault(kind, []).append((name, bound))
if wrong != {"whole": cases[:5]}:
    sys.exit("the behaviour has changed")
PYTHON
