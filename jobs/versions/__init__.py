"""Versions of one picture: corrections by the model, edits saved by the user, and the state of the editor.

- Used by: the native API and the pages. `jobs.api.zips` uses this package to find the files that represent a picture.
- May import: models, and the services of `jobs.work` and `jobs.results`.
- A picture is one entry of the gallery. Each correction is a separate job (`Job.corrects`), so that it is queued,
  leased and recovered like any other job. Lists of jobs do not show these jobs.
"""
