"""Trainers and evaluation. Nothing in app, worker or models imports this."""
