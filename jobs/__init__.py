"""The Django application of the site.

docs/architecture.md describes its packages and which package may import which.
"""
