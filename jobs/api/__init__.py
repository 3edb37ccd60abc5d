"""HTTP APIs: the native one, one folder for each published dialect, and what they share.

A view authenticates, parses, calls a service and renders. Views may call services and selectors of every room; nothing
outside the web process's routes imports this package, except `jobs.apps`, which starts the registry of dialects.
"""
