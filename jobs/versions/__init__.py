"""Versions of one picture (corrections by the model and saved edits), and the state of its editor.

- Callers: the native API and the pages; `jobs.api.zips` reads which files represent a picture.
- May use: models, and the services of `jobs.work` and `jobs.results`.
- A picture is one entry of the gallery. Each correction has its own job (`Job.corrects`), which is queued, leased and
  recovered like any other job, but is not included in lists of jobs.
"""
