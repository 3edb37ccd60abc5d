"""Make a finished picture from a cut-out: canvas, background, shadow, edges and file.

Everything here works from the stored alpha and the source, without a model. `recipe` describes what is wanted and is
free of numpy, so that the web process may import it; `finish.finish` reads as the table of contents of the rest.
May be called by workers, commands and tests. Imports nothing of the site.
"""
