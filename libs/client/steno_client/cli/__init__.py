"""The steno command."""

from steno_client.cli.command import main

__all__ = ["main"]
