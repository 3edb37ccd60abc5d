"""Model Context Protocol (MCP): tools that let AI assistants cut out pictures, read jobs and fetch results.

See docs/mcp.md.
"""
