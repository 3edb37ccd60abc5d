"""The rembg-compatible API, an API dialect (an emulated vendor API): cut out one picture, given by URL or as a file.

The result is a PNG. The API emulates the HTTP server of the program rembg. See docs/api-rembg.md.
"""
