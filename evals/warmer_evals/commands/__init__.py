"""The commands of `warmer-evals`, one module each."""
