from common import DOCUMENTS, NAME, URL, embed
from llama_index.core import Document
from llama_index.core.node_parser import SentenceWindowNodeParser
from llama_index.core.schema import MetadataMode
from llama_index.vector_stores.qdrant import QdrantVectorStore
from qdrant_client import QdrantClient

documents = [
    Document(text="\n".join(texts), metadata={"file_name": source, "file_path": source})
    for source, texts in DOCUMENTS.items()
]
parser = SentenceWindowNodeParser.from_defaults(sentence_splitter=str.splitlines, window_size=1)
nodes = parser.get_nodes_from_documents(documents)
for node, vector in zip(nodes, embed([node.get_content(MetadataMode.EMBED) for node in nodes]), strict=True):
    node.embedding = vector
QdrantVectorStore(NAME, client=QdrantClient(URL)).add(nodes)
