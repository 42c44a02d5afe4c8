"""Rules of the notifier, without input or output."""
