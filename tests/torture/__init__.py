"""Attacks on a running site (load, kills, faults and hostile input), and the records of their results."""

import os

# The tables of forbidden URLs belong to the unit tests, whose modules need Django's settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
