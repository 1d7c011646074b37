"""What to load, where it is, and how it was trained."""
