"""Messages between a runner and its workers. The end of the runner never waits for half a message to become whole."""

from __future__ import annotations

import os
import socket
import struct

_HEAD = struct.Struct("!Q")
_PIECE = 1 << 20


class Channel:
    """One end of a socket pair.

    Args:
        end: the socket, whose owner this becomes.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._socket.setblocking(True)
        self._data = bytearray()
        self._known = self._identity()

    def fileno(self) -> int:
        """The descriptor."""
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Send a message.

        Raises:
            OSError: the other end is gone; or somebody has closed this one, and its number is perhaps another file's.
        """
        if self._identity() != self._known:
            raise OSError("the connection to the runner was closed by something in this process")
        self._socket.sendall(_HEAD.pack(len(data)) + data)  # at once, as each part would wake the other end

    def receive(self) -> bytes:
        """The next message; waits for it.

        Raises:
            EOFError: the other end is gone.
            OSError: this end is.
        """
        while (message := self._whole()) is None:
            if self._identity() != self._known:
                raise OSError("the connection was closed by something in this process")
            self._take(self._socket.recv(_PIECE))
        return message

    def poll(self) -> bytes | None:
        """The next message if all of it is there, else None.

        Raises:
            EOFError: the other end is gone.
            OSError: this end is.
        """
        while (message := self._whole()) is None:
            try:
                data = self._socket.recv(_PIECE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            self._take(data)
        return message

    def close(self) -> None:
        """Close this end."""
        self._socket.close()

    def _take(self, data: bytes) -> None:
        if not data:
            raise EOFError
        self._data += data

    def _whole(self) -> bytes | None:
        if len(self._data) < _HEAD.size:
            return None
        end = _HEAD.size + int(_HEAD.unpack_from(self._data)[0])
        if len(self._data) < end:
            return None
        message = bytes(memoryview(self._data)[_HEAD.size : end])
        self._data = self._data[end:]
        return message

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = os.fstat(self._socket.fileno())
        except OSError:
            return None
        return found.st_dev, found.st_ino
