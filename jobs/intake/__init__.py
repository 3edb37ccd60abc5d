"""Turn what a request names into checked picture sources: uploads, base64, URLs, archives, server folders.

Called by the API dialects and pages (to accept or refuse a picture) and by workers (to open it). May read and write
the storage and the `Upload` rows of a team, and use the network through `fetch` only. Starts no job and runs no model.
"""
