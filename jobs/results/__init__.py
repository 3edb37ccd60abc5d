"""Files of jobs: storage, rows of files, variants, zips, signed links and deletions.

- Callers: `jobs.work` (workers store results, retention deletes them), the API and the pages (links, variants).
- May use: models, `jobs.teams`, `jobs.quota`, `jobs.audit`, `jobs.intake`, and the queue, the leases, the selectors and
  the end of a job in `jobs.work`.
- Only `storage` accesses the stored files of results, which have `Artifact` rows. `deletions` deletes files.
"""
