"""The weights that the papers' authors published, brought into our checkpoints.

One file a paper: how the authors name each entry, and which of their files make one system.
"""
