"""Processes of the site: supervisor, broker, worker processes, recurring tasks, first start and start-up checks.

The management commands call this package. It may import the other packages of `jobs`, but they must not import it. The
settings name the cache class of this package.
"""
