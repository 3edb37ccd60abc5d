"""One cut-out without an account, if the operator allows it (`MATTING_TRIAL_CUTOUTS_PER_HOUR`).

A visitor's picture belongs to a team without members and is deleted after one hour. Only the visitor's session can open
its page. Callers: the pages. May use: models, and the services of `jobs.work`.
"""
