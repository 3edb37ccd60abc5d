"""Attack a running site, and record the results."""
