"""The HTTP API: `/api/v1`, the door for webhooks, and what operations need. Errors are RFC 9457 problem documents."""

from hub.api.app import create_app

__all__ = ["create_app"]
