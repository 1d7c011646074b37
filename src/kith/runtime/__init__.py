"""Keras model -> ONNX -> what runs."""
