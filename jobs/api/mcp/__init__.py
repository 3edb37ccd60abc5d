"""Model Context Protocol: tools for assistants to cut out pictures, look at jobs and fetch results. See docs/mcp.md."""
