"""Protocols of clients: each a translation between its words and ours."""
