"""The Unity package as Unity's package manager reads it."""

import json
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "engine_plugins/unity/com.facestream.unity"
ENGINE = {"YetAnotherHttpHandler", "UnityEngine.TestRunner", "UnityEditor.TestRunner"}
"""Assemblies that come from elsewhere."""


def assets(package: Path) -> list[Path]:
    """Every file and folder that Unity imports."""
    found = sorted(package.rglob("*"))
    return [path for path in found if not any(part.endswith("~") for part in path.relative_to(package).parts)]


def meta_problems(package: Path) -> list[str]:
    problems, guids = [], {}
    for path in assets(package):
        if path.suffix == ".meta":
            if not path.with_suffix("").exists():
                problems.append(f"{path.name} belongs to nothing")
            continue
        meta = path.with_name(f"{path.name}.meta")
        guid = re.search(r"^guid: ([0-9a-f]{32})$", meta.read_text() if meta.exists() else "", re.MULTILINE)
        if guid is None:
            problems.append(f"{path.name} has no .meta with a GUID")
        elif guid[1] in guids:
            problems.append(f"{path.name} has the GUID of {guids[guid[1]]}")
        else:
            guids[guid[1]] = path.name
    return problems


def test_each_asset_has_a_guid_of_its_own(tmp_path: Path) -> None:
    assert meta_problems(PACKAGE) == []
    (tmp_path / "a.cs").touch()
    (tmp_path / "b.cs").touch()
    (tmp_path / "b.cs.meta").write_text("guid: " + 32 * "0" + "\n")
    (tmp_path / "c.cs.meta").write_text("guid: " + 32 * "1" + "\n")
    assert meta_problems(tmp_path) == ["a.cs has no .meta with a GUID", "c.cs.meta belongs to nothing"]


def test_assemblies_refer_to_assemblies_that_are_there() -> None:
    assemblies = {path.parent: json.loads(path.read_text()) for path in PACKAGE.rglob("*.asmdef")}
    names = {found["name"] for found in assemblies.values()}
    assert {"Facestream.Core", "Facestream.Tests"} <= names
    for folder, found in assemblies.items():
        assert set(found.get("references", ())) <= names | ENGINE, folder
    # every source belongs to one
    for source in (path for path in assets(PACKAGE) if path.suffix == ".cs"):
        assert any(folder in source.parents for folder in assemblies), source


def test_core_knows_no_engine() -> None:
    core = json.loads((PACKAGE / "Runtime/Core/Facestream.Core.asmdef").read_text())
    assert core["noEngineReferences"] is True
    assert core["references"] == []
    for source in (PACKAGE / "Runtime/Core").rglob("*.cs"):
        text = source.read_text()
        assert "UnityEngine" not in text, source
        assert not [word for word in ("System.Reflection", "Activator", "dynamic ") if word in text], source


def test_the_manifest_says_what_is_there() -> None:
    manifest = json.loads((PACKAGE / "package.json").read_text())
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", manifest["name"])
    assert manifest["name"] == PACKAGE.name
    version = (PACKAGE / "Runtime/Core/PackageVersion.cs").read_text()
    assert f'Text = "{manifest["version"]}"' in version
    for sample in manifest["samples"]:
        assert list((PACKAGE / sample["path"]).glob("*.cs")), sample["path"]
    for name in ("README.md", "CHANGELOG.md", "LICENSE.md", "Third Party Notices.md"):
        assert (PACKAGE / name).stat().st_size > 0, name


@pytest.mark.parametrize("path", [path for path in assets(PACKAGE) if path.suffix == ".cs"], ids=lambda path: path.name)
def test_sources_are_short_and_plain(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 500
    assert max(map(len, lines)) <= 132
