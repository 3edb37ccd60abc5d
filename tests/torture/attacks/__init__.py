"""Attacks by the input of a site: hostile files, malformed requests, large bodies, zips, URLs and waits."""
