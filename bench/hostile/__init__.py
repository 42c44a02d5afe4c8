"""Clients that mean harm, drawn from seeds."""
