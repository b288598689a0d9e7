"""The networks: one file a paper, behind one registry."""
