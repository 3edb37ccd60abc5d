"""Watched folders and buckets: pick up pictures that arrive, submit them as jobs, and put the results beside them.

`manage.py watch` runs one `watcher.Watcher`. May use intake, recipes, work and results; knows no door. The database is
the truth about every picture: a watcher that is killed at any moment goes on where it was.
"""
