"""Recipes for finished pictures: the team's own and the built-in ones, by name and version.

Doors and commands ask `selectors` for a recipe and `services` to store one; workers apply it through
`segmentation.finish`. May use models, teams, quota, audit and results. Knows no door.
"""
