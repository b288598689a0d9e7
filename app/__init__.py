"""The web process: pages, HTTP, and the command line. Never imports torch."""
