"""Files of jobs: storage, database rows, variants, zips, signed links and deletions.

A variant is a result that was rendered again with other options.
- Used by: `jobs.work` (workers store results, and expired results are deleted), the API and the pages.
- May import: models, `jobs.teams`, `jobs.quota`, `jobs.audit`, `jobs.intake`, and from `jobs.work` the queue, the
  leases, the selectors and the function that ends a job.
- Only `storage` reads and writes the stored files of results, which have `Artifact` rows. `deletions` deletes files.
"""
