"""EmbeddedCollections collections, on Qdrant Edge: the Rust segment engine inside this process."""
