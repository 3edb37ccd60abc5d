"""The Baidu-compatible API (a dialect of this site): OAuth access tokens, and `segment`, which cuts out one picture.

See docs/api-baidu.md.
"""
