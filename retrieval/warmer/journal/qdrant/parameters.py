"""Trained parameters in Qdrant: one document per key, overwritten by each newer set."""

import json
from dataclasses import astuple

from qdrant_client import models

from warmer.journal.clock import time
from warmer.journal.parameters import Trained
from warmer.journal.qdrant.store import Store, document_id, equals, put
from warmer.steering.params import is_current

_KIND = "parameters"


class QdrantParameters:
    """Parameters shared by several processes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, trained: Trained) -> None:
        """Store a set."""
        document = {"kind": _KIND, "added": time(), "trained": json.dumps(trained.to_json())}
        await self._store.write(put(document_id(_KIND, *astuple(trained.key)), document))

    async def all(self) -> list[Trained]:
        """List the newest set of each key, the one that was added last at the end; none of an earlier formula."""
        where = models.Filter(must=[equals("kind", _KIND)])
        found = (await self._store.find(where, ["added", "trained"])).values()
        in_order = sorted(found, key=lambda document: float(document["added"]))
        trained = [json.loads(document["trained"]) for document in in_order]
        return [Trained.from_json(one) for one in trained if is_current(one["warmer"]["params"])]
