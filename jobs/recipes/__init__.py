"""Recipes for finished pictures: the team's own and the built-in ones, by name and version.

A recipe is a set of rules that makes files from a cutout: canvas, background, shadow, format and size. APIs, pages and
commands call `selectors` to read a recipe and `services` to store one; workers apply recipes through
`segmentation.finish`. This package may use models, teams, quota, audit and results; it must not import the APIs or
pages.
"""
