#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Saves the first frame of a shared screen: helper.py INVITATION OUT.png

The library is found as the dynamic linker finds it, or where FARPANE_LIBRARY says.
"""

import ctypes
import os
import struct
import sys
import zlib
from ctypes import byref, c_char, c_char_p, c_size_t, c_uint32, c_uint64, c_void_p

OK = 0
FOREVER = 0xFFFFFFFF
ROLE_HELPER = 2
EVENT_ENDED = 2


class Struct(ctypes.Structure):
    """A structure of farpane.h: it begins with its size."""

    def __init__(self, **fields):
        super().__init__(struct_size=ctypes.sizeof(self), **fields)


class SessionConfig(Struct):
    _fields_ = [("struct_size", c_uint32), ("role", c_uint32)] + [
        field
        for name in ("name", "invitation", "source", "monitor", "listen")
        for field in ((name, c_char_p), (name + "_len", c_size_t))
    ]


class Event(Struct):
    _fields_ = [
        ("struct_size", c_uint32), ("kind", c_uint32), ("id", c_uint64), ("scopes", c_uint32),
        ("reason", c_uint32), ("lost", c_uint32), ("missed", c_uint32),
        ("name", c_char * 260), ("key", c_char * 64), ("text", c_char * 320),
    ]


class FrameInfo(Struct):
    _fields_ = [
        ("struct_size", c_uint32), ("format", c_uint32), ("width", c_uint32),
        ("height", c_uint32), ("generation", c_uint32), ("damage_count", c_uint32),
        ("update", c_uint64), ("received_us", c_uint64), ("composed_us", c_uint64),
    ]


class Plane(Struct):
    _fields_ = [
        ("struct_size", c_uint32), ("reserved", c_uint32), ("pixels", c_void_p),
        ("pixels_len", c_size_t), ("stride", c_size_t),
    ]


def load():
    """The library, with the types of what is used of it."""
    library = ctypes.CDLL(os.environ.get("FARPANE_LIBRARY", "libfarpane.so"))
    library.farpane_abi_version.restype = c_uint32
    if library.farpane_abi_version() >> 16 != 1:
        raise RuntimeError("libfarpane has another interface than this program")
    library.farpane_result_str.restype = c_char_p
    pointer = ctypes.POINTER
    for name, *arguments in [
        ("result_str", ctypes.c_int32),
        ("last_error", c_char_p, c_size_t, pointer(c_size_t)),
        ("session_create", pointer(SessionConfig), pointer(c_void_p)),
        ("session_connect", c_void_p),
        ("session_wait", c_void_p, c_uint32),
        ("session_unref", c_void_p),
        ("event_next", c_void_p, c_uint32, pointer(Event)),
        ("frame_next", c_void_p, c_uint32, pointer(c_void_p)),
        ("frame_get_info", c_void_p, pointer(FrameInfo)),
        ("frame_get_plane", c_void_p, c_uint32, pointer(Plane)),
        ("frame_unref", c_void_p),
    ]:
        getattr(library, "farpane_" + name).argtypes = arguments
    return library


class Farpane:
    """Calls functions of the library; a negative result is an exception."""

    def __init__(self):
        self.library = load()

    def __getattr__(self, name):
        function = getattr(self.library, "farpane_" + name)

        def call(*arguments):
            result = function(*arguments)
            if result < 0:
                text, length = ctypes.create_string_buffer(1024), c_size_t()
                self.library.farpane_last_error(text, len(text), byref(length))
                words = self.library.farpane_result_str(result)
                raise RuntimeError(f"{name}: {words.decode()}: {text.value.decode()}")
            return result

        return call


def first_frame(farpane, session):
    """Waits for a frame; it must be released."""
    event, frame = Event(), c_void_p()
    while True:
        while farpane.event_next(session, 0, byref(event)) == OK:
            if event.kind == EVENT_ENDED:
                raise RuntimeError(event.text.decode())
        if farpane.frame_next(session, 0, byref(frame)) == OK:
            return frame
        farpane.session_wait(session, FOREVER)


def rows(farpane, frame):
    """Size of a frame, and its rows as red, green and blue bytes."""
    info, plane = FrameInfo(), Plane()
    farpane.frame_get_info(frame, byref(info))
    farpane.frame_get_plane(frame, 0, byref(plane))
    lines = []
    for y in range(info.height):
        bgrx = ctypes.string_at(plane.pixels + y * plane.stride, info.width * 4)
        rgb = bytearray(info.width * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = bgrx[2::4], bgrx[1::4], bgrx[0::4]
        lines.append(rgb)
    return info.width, info.height, lines


def png(width, height, lines):
    """The bytes of a PNG file."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: helper.py INVITATION OUT.png")
    with open(sys.argv[1], "rb") as file:
        invitation = file.read()
    farpane, session, frame = Farpane(), c_void_p(), None
    config = SessionConfig(
        role=ROLE_HELPER, invitation=invitation, invitation_len=len(invitation)
    )
    farpane.session_create(byref(config), byref(session))
    try:
        farpane.session_connect(session)
        frame = first_frame(farpane, session)
        picture = rows(farpane, frame)
    finally:
        if frame:
            farpane.frame_unref(frame)
        farpane.session_unref(session)
    with open(sys.argv[2], "wb") as file:
        file.write(png(*picture))
    print(f"{picture[0]}x{picture[1]} to {sys.argv[2]}")


if __name__ == "__main__":
    try:
        main()
    except (OSError, RuntimeError) as error:
        sys.exit(f"helper.py: {error}")
