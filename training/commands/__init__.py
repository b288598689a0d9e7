"""The commands of `python -m training`, a file a family; training/__main__.py joins them."""
