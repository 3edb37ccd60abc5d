"""Which model runs on which picture: roles, quality tiers, activation, and the models that a worker keeps loaded.

`activation` is the service that puts a weights file into a role, `installed` and `hosts` say which files there are and
where, `quality` chooses a picture's quality at submission. Workers alone import `pool`, `routing` and `engines`, which
load models: `routing` asks the right one and records why, `pool` keeps them within a memory budget. The room reads
`jobs.work.queue` and the storage; submission and the workers' tasks call it.
"""
