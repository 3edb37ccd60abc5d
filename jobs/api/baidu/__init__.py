"""Baidu AI `segment`: OAuth access tokens, and synchronous cutouts of one picture. See docs/api-baidu.md."""
