"""Formats of dates and times where the site differs from Django."""
