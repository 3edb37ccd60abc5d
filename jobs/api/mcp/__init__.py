"""Model Context Protocol: tools for assistants to cut out pictures, read jobs and fetch results. See docs/mcp.md."""
