"""Native API below /api/: jobs, uploads, variants, webhooks and the account. It can do all that the dialects can."""
