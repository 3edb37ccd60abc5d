"""Choose the model for each picture, activate models, and load the models of a worker.

A role is a kind of request: find the subject, follow boxes and clicks (prompts), or find people. A tier is the quality
of a model in a role: `fast`, `fine` or `trial`.

`activation` activates a weights file in a role. `installed` lists the weights files on this host, and `hosts` lists the
hosts that have a file. `quality` chooses the quality of a picture when it is submitted. `routing` chooses the model for
a picture and records the reason. `engines` loads the models of a worker, and `pool` keeps them within a memory budget.
Only workers import `pool`, `routing` and `engines`.

This package uses `jobs.work.queue` and the storage. The APIs, the pages, the submission of jobs, the tasks of workers
and the management commands call this package.
"""
