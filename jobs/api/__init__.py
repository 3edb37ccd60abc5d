"""HTTP APIs: the native one, one folder for each published dialect, and shared code.

A dialect is the API of another product, reproduced so that its clients work with this site. A view authenticates,
parses, calls a service and renders. Views may call the services and selectors of all packages. Only the routes and
`jobs.apps`, which starts the registry of dialects, import this package.
"""
