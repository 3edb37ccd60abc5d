"""Logs with the ids of request and job, and metrics, for operators.

Each package may import this package, which imports none of them. `requests` observes web requests, `transitions` the
states of jobs and pictures, `counters` stores sums that all processes of the site share, and `logs` configures the
output. None of them records pictures, secrets, query strings of URLs or bodies.
"""
