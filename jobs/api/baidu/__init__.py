"""Baidu AI `segment`: OAuth access tokens, and one picture cut out while the caller waits. See docs/api-baidu.md."""
