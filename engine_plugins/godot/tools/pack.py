"""A Godot project as a .pck, without Godot: for tests, and where there is no editor.

    python engine_plugins/godot/tools/pack.py PROJECT_FOLDER OUTPUT.pck

Format 3 of Godot 4.5 and later (`core/io/file_access_pack.h`): a header, the files, their directory. Files go in as
they are: scripts, scenes in text, `project.godot` and data that is read at run time. What Godot's editor imports
(textures, models as scenes) would have to be imported first.
"""

import hashlib
import re
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

FORMAT = 3
ENGINE = (4, 5, 0)
"""The oldest engine that reads this format; a newer one takes it too."""
_OFFSETS_FROM_FILES = 2
_HEADER = struct.Struct("<4s5IQQ64x")
_ALIGNMENT = 32
_CLASS = re.compile(r"^class_name (\w+)", re.MULTILINE)
_BASE = re.compile(r"^extends (\w+)", re.MULTILINE)
_CLASSES = ".godot/global_script_class_cache.cfg"


def packed(files: Mapping[str, bytes]) -> bytes:
    """A .pck with these files, by their path behind `res://`."""
    first = _aligned(_HEADER.size)
    body, directory = bytearray(), bytearray(struct.pack("<I", len(files)))
    for path in sorted(files):
        content = files[path]
        name = path.encode()
        name += bytes(-len(name) % 4)
        directory += struct.pack("<I", len(name)) + name
        directory += struct.pack("<QQ", len(body), len(content)) + hashlib.md5(content, usedforsecurity=False).digest()
        directory += struct.pack("<I", 0)
        body += content
        body += bytes(-len(body) % _ALIGNMENT)
    header = _HEADER.pack(b"GDPC", FORMAT, *ENGINE, _OFFSETS_FROM_FILES, first, first + len(body))
    return header + bytes(first - len(header)) + bytes(body) + bytes(directory)


def project_files(folder: Path) -> dict[str, bytes]:
    """Every file of a project, and the list of its named classes that the editor would keep."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return files | {_CLASSES: _named_classes(files).encode()}


def _named_classes(files: Mapping[str, bytes]) -> str:
    entries = []
    for path, content in files.items():
        text = content.decode() if path.endswith(".gd") else ""
        if (name := _CLASS.search(text)) and (base := _BASE.search(text)):
            entries.append(
                f'{{"base": &"{base[1]}", "class": &"{name[1]}", "icon": "", "is_abstract": false, '
                f'"is_tool": {str("@tool" in text).lower()}, "language": &"GDScript", "path": "res://{path}"}}'
            )
    return f"list=[{', '.join(entries)}]\n"


def _aligned(length: int) -> int:
    return length + -length % _ALIGNMENT


def main() -> None:
    """The command."""
    if len(sys.argv) != 3 or not (Path(sys.argv[1]) / "project.godot").exists():
        sys.exit("usage: pack.py FOLDER OUTPUT.pck, where FOLDER has a project.godot")
    Path(sys.argv[2]).write_bytes(packed(project_files(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
