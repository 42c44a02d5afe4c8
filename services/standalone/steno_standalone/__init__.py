"""Standalone: Redis and the four services on one machine."""
