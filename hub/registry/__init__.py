"""Which connectors exist, which connections are configured, and a connection's connector ready to use.

Code is imported when a connection of it is opened for the first time.
"""

from hub.registry.configured import Connection, Opened
from hub.registry.connections import Registry
from hub.registry.finding import Found, find_connectors

__all__ = ["Connection", "Found", "Opened", "Registry", "find_connectors"]
