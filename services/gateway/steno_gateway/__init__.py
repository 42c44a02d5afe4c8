"""Gateway: client sockets in, words out."""
