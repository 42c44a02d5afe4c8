"""One session with many listeners."""
