"""Erase users and teams with their files and rows, and export the data that the site stores about a user.

This package may use every other package of `jobs`; only management commands call it. In the audit trail, a pseudonym
replaces the names, and the hash chain stays valid.
"""
