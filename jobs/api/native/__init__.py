"""Native API below /api/: jobs, uploads, variants, webhooks and the account. It offers all features of the dialects."""
