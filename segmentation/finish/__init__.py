"""Make a finished picture from a cutout: canvas, background, shadow, edges and file.

All functions use the stored alpha and the source, without a model. `recipe` describes the finished picture and does not
import numpy, so that the web process may import it. `finish.finish` calls the other modules in their order. Workers,
commands and tests may use this package. It does not import `jobs`.
"""
