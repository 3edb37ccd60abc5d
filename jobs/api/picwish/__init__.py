"""PicWish-style segmentation tasks, under two families of paths. See docs/api-picwish.md."""
