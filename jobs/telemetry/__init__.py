"""What operators can observe: logs with the ids of the request and the job, and metrics.

Every room and the models may call this package; it imports none of them. `requests` observes web requests,
`transitions` the states of jobs and pictures, `counters` keeps sums that all processes of the site share, and `logs`
configures the output. Nothing here records pictures, secrets, queries of URLs or bodies.
"""
