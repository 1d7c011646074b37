"""Bringing models here: pull, import, convert, quantize, verify."""
