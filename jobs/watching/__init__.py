"""Watched folders and buckets: submit arriving pictures as jobs, and store the results beside them.

`manage.py watch` runs one `watcher.Watcher`. This package may use intake, recipes, work and results; it must not import
the APIs or pages. The database holds the state of each picture, so a killed watcher continues where it stopped.
"""
