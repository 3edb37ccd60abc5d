"""The site's own (native) API below /api/: jobs, uploads, variants, webhooks and the account.

It has all features of the emulated vendor APIs.
"""
