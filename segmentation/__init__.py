"""Picture work: read picture files, find the subject, render the result files.

Called by workers (everything) and by request code (`options`, `errors`, and `image.probe`, which are free of torch).
Takes bytes and arrays, returns arrays and encoded files. Imports neither Django nor `jobs`.

In the order of the work: `image` (decode), `find` and `engines` (model), `refine` and `postprocess` (alpha),
`foreground` (colours), `compose` and `encode` (files). `pipeline` runs them.
"""
