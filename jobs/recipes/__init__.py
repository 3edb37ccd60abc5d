"""Recipes for finished pictures: a team's own recipes and the built-in recipes.

A recipe is a set of rules that makes files from a cutout: canvas, background, shadow, format and size. Recipes have a
name and a version. APIs, pages and commands call `selectors` to read recipes and `services` to store them. Workers
apply recipes with `segmentation.finish`.

This package may use the packages for models, teams, quota, audit and results. It must not import the APIs or pages.
"""
