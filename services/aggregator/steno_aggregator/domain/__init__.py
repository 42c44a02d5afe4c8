"""Rules of the aggregator, without input or output."""
