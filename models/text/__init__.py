"""Captions to numbers: vocabulary and text encoders."""
