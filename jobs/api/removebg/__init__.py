"""The remove.bg-compatible API, an API dialect (an emulated vendor API): cut out one picture, and read the account.

It emulates version 1.0 of remove.bg's API. See docs/api-removebg.md.
"""
