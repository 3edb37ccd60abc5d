"""Dialect of Baidu AI's `segment`: OAuth access tokens, and the synchronous cutout of one picture.

See docs/api-baidu.md.
"""
