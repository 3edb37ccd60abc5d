"""The Django application of the site. docs/architecture.md describes its packages and their allowed imports."""
