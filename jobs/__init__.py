"""The Django application, with one package for each subject.

Docs/architecture.md shows the packages and their imports.
"""
