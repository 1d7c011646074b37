"""How answers are put, the same on the command line and on a page."""
