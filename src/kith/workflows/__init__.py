"""What the verbs do, except print: each is one call from Python."""
