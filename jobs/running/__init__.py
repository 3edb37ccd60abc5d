"""Processes of the site: the supervisor, the broker, the worker processes, upkeep, first start and start-up checks.

The management commands call this package. It may use the other packages of `jobs`, but they do not import it. Only the
settings name its cache class.
"""
