"""One cut-out before sign-up, where the operator allows it (`MATTING_TRIAL_CUTOUTS_PER_HOUR`).

A visitor's picture belongs to a team without members and is deleted after an hour. The visitor's session is the only
way to its page. Callers: the pages. May use: models, and the services of `jobs.work`.
"""
