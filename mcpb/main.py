"""What the bundle for desktop clients starts."""

from warmer_server.cli import main

main(["serve"])
