"""Attacks on a site with hostile input: files, malformed requests, large bodies, zips, URLs and waiting requests."""
