"""Watched folders and buckets: new pictures are submitted as jobs, and the results are stored in an output folder.

`manage.py watch` runs one `watcher.Watcher`. This package may import intake, recipes, work and results; it must not
import the APIs or the pages. The database stores the state of each picture, so a watcher that was killed continues its
work at the next start.
"""
