"""Collections on a Qdrant server, cloud or cluster. Importing from here loads qdrant-client, which takes a second."""
