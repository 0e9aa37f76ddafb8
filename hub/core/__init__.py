"""Values and protocols that every other part is written in.

Nothing here opens a file, a socket or a database, and nothing here imports a third-party package but `msgspec`.
"""
