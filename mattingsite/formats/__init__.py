"""Formats of dates and times, for the languages for which the site does not use Django's formats."""
