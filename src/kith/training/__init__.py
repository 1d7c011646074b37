"""Training an embedder of one's own."""
