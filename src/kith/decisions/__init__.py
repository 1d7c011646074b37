"""What scores mean, whether a face is anyone's, and whose."""
