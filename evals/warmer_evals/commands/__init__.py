"""What `warmer-evals` can do, one module a command."""
