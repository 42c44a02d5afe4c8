"""Rules of the client: what to send, what to keep, what an answer means."""
