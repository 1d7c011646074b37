"""Photographs: files -> (h, w, 3) uint8 RGB."""
