"""Versions of one picture: corrections by the model, edits saved by hand, and the state of the editor.

- Callers: the native API and the pages; `jobs.api.zips` reads which files represent a picture.
- May use: models, and the services of `jobs.work` and `jobs.results`.
- A picture is one entry of the gallery. Each correction is a separate job (`Job.corrects`), so that it is queued,
  leased and recovered like any other job; lists of jobs leave it out.
"""
