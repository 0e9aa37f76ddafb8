"""Files in: uploaded, dropped into a folder or fetched over SFTP. Kept whole first, then read. The third door, on the same path."""

from hub.files.folder import WatchedFolder
from hub.files.jobs import FileJob, Files, Member
from hub.files.limits import FILE_BYTES
from hub.files.remote import RemoteFolders

__all__ = ["FILE_BYTES", "FileJob", "Files", "Member", "RemoteFolders", "WatchedFolder"]
