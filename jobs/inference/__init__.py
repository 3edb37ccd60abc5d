"""Selection of the model for each picture: roles, quality tiers, activation, and the loaded models of a worker.

A role is a kind of request (subject, prompts, people); a tier is the quality of a model in it (fast, fine, or trial).
`activation` is the service that activates a weights file in a role. `installed` and `hosts` list the available files
and the hosts that have them. `quality` chooses a picture's quality at submission. `pool`, `routing` and `engines` load
models, so only workers import them: `routing` selects the model for a picture and records the reason, `pool` keeps the
loaded models within a memory budget. This package reads `jobs.work.queue` and the storage; submission and tasks call
it.
"""
