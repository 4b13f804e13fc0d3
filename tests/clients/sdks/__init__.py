"""SDKs of agents, each a script that is run in an environment of its own."""
