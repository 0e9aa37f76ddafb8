"""What people see in a browser: the overview, and the API's documentation without anybody else's servers."""

from hub.console.pages import router

__all__ = ["router"]
