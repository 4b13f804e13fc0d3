import os

os.environ |= {"MEM0_TELEMETRY": "False", "OPENAI_API_KEY": "none"}

from common import NAME, OPENAI, PASSAGES, URL
from mem0 import Memory

memory = Memory.from_config(
    {
        "vector_store": {
            "provider": "qdrant",
            "config": {"collection_name": NAME, "url": URL, "api_key": "none", "embedding_model_dims": 384},
        },
        "embedder": {
            "provider": "openai",
            "config": {"model": "m", "openai_base_url": OPENAI, "embedding_dims": 384},
        },
        "history_db_path": ":memory:",
    }
)
for source, _, text in PASSAGES:
    memory.add(text, user_id="cleo", infer=False, metadata={"source": source})
