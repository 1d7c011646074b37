"""What models exist: what they are, where their files are, and what their scores mean."""
