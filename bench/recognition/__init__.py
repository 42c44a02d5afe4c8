"""Load on recognition: what N live sessions get, what they cost, how near that is to the limit."""
