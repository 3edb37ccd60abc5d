"""Check the pictures of a request and convert them into sources, from which workers read the pictures.

A picture may come as an upload, as base64 text, as a URL, in a zip, or from a folder of the server. The APIs and pages
call this package to accept or reject a picture. Workers call it to read the picture.

The package may use the storage and the `Upload` rows of a team. It uses the network only through `fetch` and for the
operator's content check. It starts no job and runs no model.
"""
