"""Erase users and teams with their files and rows, and export what the site stores of a user.

May use every other room; only management commands call it. The audit trail keeps a pseudonym and stays valid.
"""
