"""The trial: a visitor cuts out one picture without an account.

The operator must allow it with MATTING_TRIAL_CUTOUTS_PER_HOUR. The visitor's picture belongs to a special team without
members and is deleted after one hour. Only the visitor's browser session can open its page. The pages call this
package. It may import the models and the services of `jobs.work`.
"""
