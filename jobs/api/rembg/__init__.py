"""The rembg-compatible API (a dialect of this site): cuts out a picture, given by URL or as a file, as PNG.

It reproduces rembg's server. See docs/api-rembg.md.
"""
