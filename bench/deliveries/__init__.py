"""Load on the way from results to a translation pipeline."""
