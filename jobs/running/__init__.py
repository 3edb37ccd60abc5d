"""Processes of the site: the supervisor, the broker, the worker processes, upkeep, first start and start-up checks.

Called by the management commands. May use every room; no room imports this one, except that settings name the cache.
"""
