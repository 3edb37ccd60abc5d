"""Erase users and teams with their files and rows, and export the data that the site stores about a user.

Only management commands call this package. In the audit trail a pseudonym replaces the erased names, and the hash chain
can still be verified.
"""
