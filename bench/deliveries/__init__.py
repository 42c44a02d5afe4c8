"""What is sent out while many sessions are live."""
