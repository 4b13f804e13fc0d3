import asyncio

from common import NAME, PASSAGES, URL, embed
from mcp_server_qdrant.embeddings.base import EmbeddingProvider
from mcp_server_qdrant.qdrant import Entry, QdrantConnector


class Served(EmbeddingProvider):
    async def embed_documents(self, documents):
        return embed(documents)

    async def embed_query(self, query):
        return embed([query])[0]

    def get_vector_name(self):
        return "fast-all-minilm-l6-v2"

    def get_vector_size(self):
        return 384


async def main():
    connector = QdrantConnector(URL, None, NAME, Served())
    for source, _, text in PASSAGES:
        await connector.store(Entry(content=text, metadata={"source": source}))


asyncio.run(main())
