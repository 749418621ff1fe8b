"""The GLB container and glTF accessors: arrays in, bytes out, and back."""

import base64
import copy
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt

from facestream.errors import InvalidValue
from facestream.types import Float32, Int64

_MAGIC, _VERSION = 0x46546C67, 2
_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942
_COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963

Json = dict[str, Any]


class GlbBuilder:
    """Collects accessors and the buffer they lie in; `document` holds whatever else the file says."""

    def __init__(self, document: Json | None = None, binary: bytes = b"") -> None:
        """Begin anew, or go on with a document whose views all lie in one buffer (`GlbFile.reopened`)."""
        self.document: Json = {"accessors": [], "bufferViews": []} | (document or {})
        self._binary = bytearray(binary)
        self._sparse = bytearray()
        self._sparse_view: int | None = None

    def accessor(
        self, array: npt.NDArray[Any], *, target: int | None = None, bounded: bool = False, normalized: bool = False
    ) -> int:
        """Store `array` [N] or [N, components] and give its accessor; `bounded` adds the minimum and maximum."""
        entry = self._described(array, normalized)
        entry["bufferView"] = self._view(array, target)
        if bounded:
            self._bound(entry, array)
        return self._added(entry)

    def sparse_accessor(self, array: Float32, rows: Int64, *, bounded: bool) -> int:
        """Store only the `rows` of `array` [N, 3]; all others are zero. No rows cost nothing in the buffer."""
        entry = self._described(array, False)
        if bounded:
            kept = np.zeros_like(array)
            kept[rows] = array[rows]
            self._bound(entry, kept)
        if len(rows):
            index = rows.astype(np.uint16 if len(array) <= 2**16 else np.uint32)
            entry["sparse"] = {
                "count": len(rows),
                # a view of their own: Godot complains of each one that ends elsewhere than its indices do
                "indices": {"bufferView": self._view(index, None), "componentType": _component(index)},
                "values": self._sparse_place(array[rows]),
            }
        return self._added(entry)

    def write(self, path: Path) -> None:
        """Write the GLB file."""
        binary = bytes(self._binary)
        if self._sparse_view is not None:
            view = self.document["bufferViews"][self._sparse_view]
            view["byteOffset"], view["byteLength"] = len(binary), len(self._sparse)
            binary += bytes(self._sparse) + b"\0" * (-len(self._sparse) % 4)
        document = self.document | {"buffers": [{"byteLength": len(binary)}]}
        text = json.dumps(document, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), _JSON_CHUNK) + text
        chunks += struct.pack("<II", len(binary), _BINARY_CHUNK) + binary
        path.write_bytes(struct.pack("<III", _MAGIC, _VERSION, 12 + len(chunks)) + chunks)

    def _described(self, array: npt.NDArray[Any], normalized: bool) -> Json:
        entry: Json = {
            "componentType": _component(array),
            "count": len(array),
            "type": _TYPES[int(np.prod(array.shape[1:], dtype=np.int64))],
        }
        if normalized:
            entry["normalized"] = True
        return entry

    def _bound(self, entry: Json, array: npt.NDArray[Any]) -> None:
        flat = array.reshape(len(array), -1)
        # as few digits as tell the number: 200 targets have bounds
        entry["min"], entry["max"] = (
            [float(str(value)) for value in bound] for bound in (flat.min(axis=0), flat.max(axis=0))
        )

    def _view(self, array: npt.NDArray[Any], target: int | None) -> int:
        self._binary += b"\0" * (-len(self._binary) % 4)
        data = np.ascontiguousarray(array).tobytes()
        view: Json = {"buffer": 0, "byteOffset": len(self._binary), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self._binary += data
        self.document["bufferViews"].append(view)
        return len(self.document["bufferViews"]) - 1

    def _sparse_place(self, array: npt.NDArray[Any]) -> Json:
        """All sparse values share one view, which is placed behind the others when the file is written."""
        if self._sparse_view is None:
            self._sparse_view = len(self.document["bufferViews"])
            self.document["bufferViews"].append({"buffer": 0})
        self._sparse += b"\0" * (-len(self._sparse) % 4)
        place = {"bufferView": self._sparse_view, "byteOffset": len(self._sparse)}
        self._sparse += np.ascontiguousarray(array).tobytes()
        return place

    def _added(self, entry: Json) -> int:
        self.document["accessors"].append(entry)
        # The buffer's end is aligned here, so that the chunk's length is what the document says.
        self._binary += b"\0" * (-len(self._binary) % 4)
        return len(self.document["accessors"]) - 1


class GlbFile:
    """A glTF 2 file as read, GLB or JSON with its buffers beside or inside it: `document`, and accessors as arrays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            data = path.read_bytes()
            document, binary = _chunks(data) if data.startswith(b"glTF") else (json.loads(data), b"")
            self.document: Json = document
            if not isinstance(self.document, dict) or "asset" not in self.document:
                raise ValueError("no glTF document")
            self._buffers = [
                self._content_of(buffer["uri"]) if "uri" in buffer else binary
                for buffer in self.document.get("buffers", [])
            ]
        except OSError as error:
            found = f"{error.filename or path}, which can not be read ({error.strerror})"
            raise InvalidValue(str(path), found, "a glTF file with its buffers") from error
        except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InvalidValue(str(path), f"a broken file ({error})", "a GLB file (glTF 2 binary) or .gltf") from error

    def _content_of(self, uri: str) -> bytes:
        if uri.startswith("data:"):
            kind, _, text = uri.partition(",")
            if not kind.endswith(";base64"):
                raise ValueError("a buffer inside the file that is not base64")
            return base64.b64decode(text, validate=True)
        place = Path(unquote(uri))
        if place.is_absolute() or ".." in place.parts or ":" in uri:
            raise ValueError(f"a buffer at {uri[:80]!r}, which does not lie beside it")
        return (self._path.parent / place).read_bytes()

    def array(self, accessor: int) -> npt.NDArray[Any]:
        """Values [N] or [N, components] of an accessor, sparse ones filled in."""
        try:
            entry = self.document["accessors"][accessor]
            width = next(size for size, name in _TYPES.items() if name == entry["type"])
            code = next(code for code, number in _COMPONENTS.items() if number == entry["componentType"])
            count = entry["count"]
            if "bufferView" in entry:
                flat = self._read(entry["bufferView"], entry.get("byteOffset", 0), code, (count, width)).copy()
            else:
                flat = np.zeros((count, width), f"<{code}")
            if "sparse" in entry:
                self._fill(flat, entry["sparse"], code)
        except (KeyError, IndexError, TypeError, ValueError, StopIteration) as error:
            raise InvalidValue(
                f"{self._path}, accessor {accessor}", f"broken ({error!r})", "a glTF accessor"
            ) from error
        return flat[:, 0] if width == 1 else flat

    def reopened(self) -> GlbBuilder:
        """The whole file for more to be added: all buffers as one, images that lie beside it taken in.

        Raises `InvalidValue` for images that can not be read, and for buffers that only an extension explains.
        """
        if "EXT_meshopt_compression" in self.document.get("extensionsUsed", []):
            raise InvalidValue(str(self._path), "geometry compressed by EXT_meshopt_compression", "a file without it")
        document, binary, begins = copy.deepcopy(self.document), bytearray(), []
        for buffer in self._buffers:
            binary += b"\0" * (-len(binary) % 8)
            begins.append(len(binary))
            binary += buffer
        try:
            for view in document.get("bufferViews", []):
                view["byteOffset"] = view.get("byteOffset", 0) + begins[view["buffer"]]
                view["buffer"] = 0
            for image in document.get("images", []):
                if "uri" in image and not image["uri"].startswith("data:"):
                    uri = image.pop("uri")
                    content = self._content_of(uri)
                    binary += b"\0" * (-len(binary) % 8)
                    view = {"buffer": 0, "byteOffset": len(binary), "byteLength": len(content)}
                    binary += content
                    document.setdefault("bufferViews", []).append(view)
                    kind = _IMAGES.get(Path(uri).suffix.lower(), image.get("mimeType", ""))
                    image |= {"bufferView": len(document["bufferViews"]) - 1, "mimeType": kind}
        except OSError as error:
            found = f"{error.filename}, which can not be read ({error.strerror})"
            raise InvalidValue(str(self._path), found, "a glTF file with its images") from error
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InvalidValue(str(self._path), f"a broken file ({error!r})", "a glTF file") from error
        document.pop("buffers", None)
        return GlbBuilder(document, bytes(binary))

    def _fill(self, flat: npt.NDArray[Any], sparse: Mapping[str, Any], code: str) -> None:
        count, indices, values = sparse["count"], sparse["indices"], sparse["values"]
        index_code = next(code for code, number in _COMPONENTS.items() if number == indices["componentType"])
        rows = self._read(indices["bufferView"], indices.get("byteOffset", 0), index_code, (count, 1))[:, 0]
        size = (count, flat.shape[1])
        flat[rows] = self._read(values["bufferView"], values.get("byteOffset", 0), code, size)

    def _read(self, view: int, offset: int, code: str, size: tuple[int, int]) -> npt.NDArray[Any]:
        """`size` numbers of a view; rows may lie apart (`byteStride`)."""
        entry = self.document["bufferViews"][view]
        kind = np.dtype(f"<{code}")
        row = entry.get("byteStride", size[1] * kind.itemsize)
        begin = entry.get("byteOffset", 0) + offset
        buffer = self._buffers[entry["buffer"]]
        if size[0] and begin + (size[0] - 1) * row + size[1] * kind.itemsize > len(buffer):
            raise ValueError(f"a view that ends beyond the {len(buffer)} bytes of its buffer")
        return np.ndarray(size, kind, buffer, begin, (row, kind.itemsize))


def _chunks(data: bytes) -> tuple[Json, bytes]:
    """Document and binary of a GLB file."""
    magic, version, length = struct.unpack_from("<III", data)
    if (magic, version, length) != (_MAGIC, _VERSION, len(data)):
        raise ValueError("no glTF 2 binary of its stated length")
    text_length, kind = struct.unpack_from("<II", data, 12)
    if kind != _JSON_CHUNK:
        raise ValueError("its first chunk is not JSON")
    return json.loads(data[20 : 20 + text_length]), data[28 + text_length :]


def _component(array: npt.NDArray[Any]) -> int:
    return _COMPONENTS[f"{array.dtype.kind}{array.dtype.itemsize}"]
