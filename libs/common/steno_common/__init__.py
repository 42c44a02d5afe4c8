"""What two or more Steno services must agree on."""
