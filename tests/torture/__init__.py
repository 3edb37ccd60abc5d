"""Attack a running site, and record the results."""

import os

# The lists of forbidden URLs are in modules of unit tests, which need Django's settings.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
