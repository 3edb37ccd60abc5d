"""Processes of the site: the supervisor, the broker, the worker processes, upkeep, first start and start-up checks.

The management commands call this package. It may use every other package of `jobs`; none of them imports it. Only the
settings name its cache class.
"""
