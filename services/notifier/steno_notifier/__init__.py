"""Notifier: live fan-out of results."""
