"""What Unreal's header tool would make of the plugin's headers, as far as compiling them against the stubs needs it."""

import re
from pathlib import Path

_GENERATED = re.compile(r'^#include "(\w+)\.generated\.h"$', re.MULTILINE)
_TYPE = re.compile(r"^(class|struct) (?:\w+_API )?(\w+)(?: : public (\w+))?\s*\{\s*GENERATED_BODY\(\)", re.MULTILINE)


def write_generated_headers(headers: list[Path], folder: Path) -> None:
    """`NAME.generated.h` in `folder` for each header that asks for one."""
    folder.mkdir(parents=True, exist_ok=True)
    for header in headers:
        text = header.read_text()
        if _GENERATED.search(text) is None:
            continue
        lines = ["#pragma once", "#undef CURRENT_FILE_ID", f"#define CURRENT_FILE_ID FID_{header.stem}"]
        for found in _TYPE.finditer(text):
            line = text.count("\n", 0, found.end()) + 1
            lines.append(f"#define FID_{header.stem}_{line}_GENERATED_BODY {_body(*found.groups())}")
        made = "\n".join(lines) + "\n"
        path = folder / f"{header.stem}.generated.h"
        if not path.exists() or path.read_text() != made:
            path.write_text(made)


def _body(kind: str, name: str, parent: str | None) -> str:
    if kind == "class":
        return f"STUB_CLASS({name}, {parent}) private:"
    return f"public: using ThisClass = {name};" + (f" using Super = {parent};" if parent else "")
