"""The Django application, with one package for each subject; docs/architecture.md shows them and their imports."""
