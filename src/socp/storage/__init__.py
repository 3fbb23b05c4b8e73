"""What is kept on disk: the brains' records as rows, durable before anyone is told so.

Only the light things are imported here; `node_store` and `profile_store` bring SQLAlchemy along,
so import those where the store is opened (on a thread, beside the rest of the start).
"""

from socp.storage.errors import BadRecord, FolderBusy, StorageError
from socp.storage.folder_lock import FolderLock

__all__ = ["BadRecord", "FolderBusy", "FolderLock", "StorageError"]
