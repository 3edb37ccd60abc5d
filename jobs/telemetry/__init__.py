"""Logs and metrics for operators. Log lines contain the ids of the request and the job.

Each package of `jobs` may import this package; this package imports none of them. `requests` observes web requests,
`transitions` observes the states of jobs and pictures, `counters` stores sums that all processes of the site share, and
`logs` configures the log output. No module records pictures, secrets, query strings of URLs, or request bodies.
"""
