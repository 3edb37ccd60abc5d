"""Attacks on a running site by its input: hostile files, malformed requests, large bodies, zips, URLs and waits."""
