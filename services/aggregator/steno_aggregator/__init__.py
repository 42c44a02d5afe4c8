"""Aggregator: utterances, transcripts and the end of a session."""
