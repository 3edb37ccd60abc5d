"""The remove.bg-compatible API (a dialect of this site): the synchronous cutout of one picture, and the account.

It reproduces remove.bg v1.0. See docs/api-removebg.md.
"""
