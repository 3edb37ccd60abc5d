"""Versions of one picture: corrections by the model, edits saved by hand, and what the editor shows when it opens.

- Callers: the native API and the pages; `jobs.api.zips` reads which files stand for a picture.
- May use: models, and the services of `jobs.work` and `jobs.results`.
- A picture is one entry of the gallery. Each correction is a job of its own (`Job.corrects`), so that it is queued,
  leased and recovered like any other; lists of jobs leave it out.
"""
