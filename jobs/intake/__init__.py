"""Conversion of the pictures of a request into checked sources: uploads, base64, URLs, archives, server folders.

API dialects and pages call this package to accept or reject a picture; workers call it to open one. It may read and
write the storage and the `Upload` rows of a team, and may use the network only through `fetch`. It starts no job and
runs no model.
"""
