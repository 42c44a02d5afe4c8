"""Bad networks, made on purpose."""
