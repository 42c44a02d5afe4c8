"""Transcriber: audio of many sessions to partial and final words."""
