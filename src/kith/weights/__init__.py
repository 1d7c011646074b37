"""Weights files -> {variable name: array}; nothing in a file is ever executed.

A variable's name is the Keras layer's name, a slash, and the variable's own: `stem_conv/kernel`.
"""
