"""Submission and processing of jobs: queue, attempts, recovery, cancellation, retention.

`submission.job_submit` creates a job. Workers run the functions of `tasks`: a task claims a picture, processes it, and
records the result with `attempts`. `recovery` returns the pictures of dead workers to the queue. `ending` ends a job
when its last picture has ended.
- Used by: the API, the pages, the admin, commands and `jobs.running`. Only worker processes import `tasks` and
  `serving`, because these modules run a model.
- May import: models, `jobs.teams`, `jobs.quota`, `jobs.audit`, `jobs.intake`, `jobs.results`, `jobs.webhooks`.
- Only `queue` and `serving` use RQ. Redis stores ids and wakes waiting requests; the database stores the state of every
  job.
"""
