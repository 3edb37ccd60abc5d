"""The PicWish-compatible API, an API dialect (an emulated vendor API): tasks that cut out one picture.

The API is available at two groups of paths. See docs/api-picwish.md.
"""
