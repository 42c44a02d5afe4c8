"""Rules of the one-machine installation, free of processes."""
