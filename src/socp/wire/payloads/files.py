"""A file on its way (section 8)."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from socp.wire.part import Base64Url, Count, Hex64, Id, KeyText, Payload


class FileFrame(Payload, frozen=True, kw_only=True):
    """What every file frame carries; `sender` and `user_id` are added by servers (section 5)."""

    file_id: Id
    sender: str = ""
    user_id: str = ""
    queued: bool = False  # `mailbox/1`: a server releases it late; added between servers


class FileStart(FileFrame, frozen=True, kw_only=True):
    """FILE_START, the manifest (section 8). With `wrapped_key` the chunks are `hybrid/1` ones."""

    TYPE: ClassVar[str] = "FILE_START"
    ALWAYS: ClassVar[tuple[str, ...]] = ("mode",)
    ALIASES: ClassVar[tuple[str, ...]] = ("USER_FILE_START", "SERVER_FILE_START")

    name: Annotated[str, Meta(max_length=1024)]
    size: Count
    sha256: Hex64
    mode: Annotated[str, Meta(max_length=16)] = "dm"
    total: Count | None = None
    sender_pub: KeyText = ""
    content_sig: Base64Url = ""
    wrapped_key: Base64Url = ""
    chunk_bytes: Count = 0
    chunk_hashes: Base64Url = ""


class FileChunk(FileFrame, frozen=True, kw_only=True):
    """FILE_CHUNK, `index` from 0 (section 8)."""

    TYPE: ClassVar[str] = "FILE_CHUNK"
    ALIASES: ClassVar[tuple[str, ...]] = ("USER_FILE_CHUNK", "SERVER_FILE_CHUNK")

    index: Count
    ciphertext: Base64Url
    total: Count | None = None
    sender_pub: KeyText = ""
    content_sig: Base64Url = ""


class FileEnd(FileFrame, frozen=True, kw_only=True):
    """FILE_END (section 8)."""

    TYPE: ClassVar[str] = "FILE_END"
    ALIASES: ClassVar[tuple[str, ...]] = ("USER_FILE_END", "SERVER_FILE_END")
