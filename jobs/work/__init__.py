"""Submission of jobs and everything that happens to their pictures: queue, attempts, recovery, cancel, retention.

A job enters through `submission.job_submit`. Workers run `tasks`, which claim a picture and end it through `attempts`;
`recovery` returns what dead workers held; `ending` ends a job with its last picture.

- Callers: the API, the pages, the admin, commands and `jobs.running`. Only worker processes import `tasks`, `engine`
  and `serving`: these run a model.
- May use: models, `jobs.teams`, `jobs.quota`, `jobs.audit`, `jobs.intake`, `jobs.results`, `jobs.webhooks`.
- `queue` and `serving` are the only modules that know RQ. Redis carries ids and wakes requests that wait; the database
  holds the state of every job.
"""
