"""The web server: sockets, deadlines, threads and processes around Django. It knows nothing of pictures or jobs.

A request holds a thread only while Django works on it. Reading a body, waiting for a job, and sending an answer to a
slow client are the event loop's, so that none of them takes capacity from short requests.
"""
