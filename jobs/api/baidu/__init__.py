"""The Baidu-compatible API, an API dialect (an emulated vendor API).

It issues OAuth access tokens, and its method `segment` cuts out one picture. See docs/api-baidu.md.
"""
