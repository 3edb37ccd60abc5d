"""Erase users and teams with their files and rows, and export the data that the site stores about a user.

Only management commands call this package; it may use every other package. The audit trail keeps a pseudonym and stays
valid.
"""
