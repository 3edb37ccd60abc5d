"""The web server: sockets, deadlines, threads and processes around Django. It does not import `jobs`.

A request uses a thread only while Django works on it. The event loop reads bodies, waits for jobs, and sends responses
to slow clients, so that these do not block the threads for short requests.
"""
