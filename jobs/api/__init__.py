"""HTTP APIs: the native API, one package for each published dialect, and shared code.

A dialect is the API of another product, reproduced so that its clients work with this site. A view authenticates the
caller, parses the request, calls a service and renders the response. Views may call the services and selectors of all
packages. Only the routes and `jobs.apps`, which starts the registry of dialects, import this package.
"""
