"""Watched folders and buckets: submit arriving pictures as jobs, and store the results beside them.

`manage.py watch` runs one `watcher.Watcher`. May use intake, recipes, work and results; must not import the APIs or
pages. The database holds the state of each picture, so a killed watcher continues where it stopped.
"""
