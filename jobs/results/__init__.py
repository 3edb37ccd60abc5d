"""Files of jobs: storage, database rows, variants, zips, signed links and deletions.

A variant is a result that was rendered again with other options. Only `storage` reads and writes the stored files of
results. Each stored file has an `Artifact` row. `deletions` deletes files.

The APIs, the pages and `jobs.work` call this package: workers store results, and expired results are deleted. The
package may import the models, `jobs.teams`, `jobs.quota`, `jobs.audit` and `jobs.intake`. From `jobs.work` it may
import only the queue, the leases, the selectors and the function that ends a job.
"""
