"""Fenced code blocks of the project's Markdown pages."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "models" / "facestream_bundles").rglob("*.md"),
        *(ROOT / "engine_plugins").glob("*.md"),
        *(ROOT / "engine_plugins" / "web").glob("*.md"),
        *(ROOT / "engine_plugins" / "unreal" / "FaceStream").glob("*.md"),
        *(ROOT / "engine_plugins" / "godot").rglob("*.md"),
    ]
)
_FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(language: str) -> list[Block]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in _FENCE.finditer(text):
            if match[1] == language:
                found.append(Block(page, text.count("\n", 0, match.start()) + 1, language, match[2]))
    return found


def commands() -> list[tuple[str, str]]:
    """(where, command) of every line in a console block, comments and continuation lines resolved."""
    found = []
    for block in blocks("console"):
        text = block.text.replace("\\\n", " ")
        for line in text.splitlines():
            command = line.removeprefix("$ ").split("  #")[0].strip()
            if command and not command.startswith("#"):
                found.append((block.name, command))
    return found
