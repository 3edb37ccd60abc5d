"""The Django application, grouped in rooms by subject. docs/architecture.md shows the rooms and who may import whom."""
