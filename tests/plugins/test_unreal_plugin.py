"""The Unreal plugin as Unreal's build tools read it: modules, what they depend on, and the rules of their sources."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.plugins.unreal.build import MODULES, SOURCE, UNREAL, headers, sources

PLUGIN = UNREAL / "FaceStream"
HEADERS = """
Core: Async/ Containers/ CoreMinimal.h Features/ HAL/ Misc/ Modules/ Stats/ Templates/
CoreUObject: UObject/
Engine: Animation/ AudioDevice.h Components/SkeletalMesh Engine/EngineTypes.h Engine/SkeletalMesh.h GameFramework/
Engine: ISubmixBufferListener.h SampleBufferIO.h Sound/
AudioMixer: Components/SynthComponent.h
AudioCaptureCore: AudioCaptureCore.h
DeveloperSettings: Engine/DeveloperSettings.h
LiveLinkInterface: ILiveLinkClient.h ILiveLinkSource.h LiveLinkSourceFactory.h LiveLinkSourceSettings.h LiveLinkTypes.h
LiveLinkInterface: Roles/
Projects: Interfaces/IPluginManager.h
AnimGraph: AnimGraphNode_Base.h
PropertyEditor: DetailCategoryBuilder.h DetailLayoutBuilder.h DetailWidgetRow.h IDetailCustomization.h
PropertyEditor: PropertyEditorModule.h
Slate: Widgets/Input/ Widgets/Text/
SlateCore: Input/Reply.h Widgets/SBoxPanel.h
FaceStreamClient: facestream/
FaceStream: FaceStream AnimNode_FaceStream
FaceStreamEditor: AnimGraphNode_FaceStream
"""
"""Module: the headers of it that the plugin includes, by their beginnings; of Unreal 5.4 to 5.6."""
_INCLUDE = re.compile(r'^#include ["<]([^">]+)[">]', re.MULTILINE)


def includes(path: Path) -> list[str]:
    return _INCLUDE.findall(path.read_text())


def dependencies(module: str) -> set[str]:
    text = (SOURCE / module / f"{module}.Build.cs").read_text()
    return {
        name
        for block in re.findall(r"DependencyModuleNames.AddRange\(.*?\}\);", text, re.DOTALL)
        for name in re.findall(r'"(\w+)"', block)
    }


def module_of(include: str) -> str | None:
    for line in HEADERS.split("\n"):
        module, _, beginnings = line.partition(": ")
        if any(include.startswith(beginning) for beginning in beginnings.split()):
            return module
    return None


def missing_modules(module: str, paths: Iterable[Path]) -> list[str]:
    """Headers whose module is not a dependency."""
    known = {*dependencies(module), module}
    of_ours = [(path.name, name) for path in paths for name in includes(path) if name not in ("atomic",)]
    return [f"{path}: {name}" for path, name in of_ours if module_of(name) not in known and ".generated." not in name]


def header_problems(text: str, stem: str, api: str) -> list[str]:
    problems = []
    if not re.match(r"// .+\n(//.*\n)*#pragma once\n", text):
        problems.append("does not begin with what it is and #pragma once")
    reflected = re.findall(r"^\s*(UCLASS|USTRUCT|UENUM)\(", text, re.MULTILINE)
    found = _INCLUDE.findall(text)
    if reflected and (not found or found[-1] != f"{stem}.generated.h"):
        problems.append("does not include its generated header last")
    if not reflected and any(".generated." in name for name in found):
        problems.append("includes a generated header for nothing")
    types = re.findall(r"^(?:UCLASS|USTRUCT)\(.*\)\n(?:class|struct) (.*)", text, re.MULTILINE)
    if [line for line in types if not line.startswith(f"{api} ")]:
        problems.append(f"has a reflected type without {api}")
    if text.count("GENERATED_BODY()") != len(types):
        problems.append("has not one GENERATED_BODY() in each reflected type")
    for declared in re.findall(r"UPROPERTY\([^)]*(?:\([^)]*\)[^)]*)?\)\s*\n\s*(\w[\w<>*]*) (\w+)", text):
        if (declared[0] == "bool") != bool(re.match(r"b[A-Z]", declared[1])) or declared[0].startswith(
            ("std", "size_t", "int64_t")
        ):
            problems.append(f"{declared[1]} is no name or type for a property")
    return problems


def test_modules_of_the_descriptor_are_there() -> None:
    told = json.loads((PLUGIN / "FaceStream.uplugin").read_text())
    assert told["FileVersion"] == 3
    assert {module["Name"]: module["Type"] for module in told["Modules"]} == {
        "FaceStream": "Runtime",
        "FaceStreamEditor": "UncookedOnly",
    }
    assert {one["Name"] for one in told["Plugins"]} == {"LiveLink", "AudioCapture"}
    folders = {path.parent.name for path in SOURCE.glob("*/*.Build.cs")}
    assert folders == set(MODULES) == {module["Name"] for module in told["Modules"]}
    for rules in SOURCE.rglob("*.Build.cs"):
        name = rules.name.removesuffix(".Build.cs")
        assert f"public class {name} : ModuleRules" in rules.read_text()
        assert f"public {name}(ReadOnlyTargetRules Target) : base(Target)" in rules.read_text()
    for module in MODULES:
        text = "".join(path.read_text() for path in sources() if path.parent.parent.name == module)
        assert text.count(f", {module})") == 1 == text.count("IMPLEMENT_MODULE("), "one module each"
    version = re.search(r'^version = "([^"]+)"', (UNREAL.parents[1] / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is None or told["VersionName"] == version[1]


@pytest.mark.parametrize("module", MODULES)
def test_each_header_comes_of_a_module_that_is_asked_for(module: str) -> None:
    own = [path for path in (*headers(), *sources()) if path.parent.parent.name == module]
    assert missing_modules(module, own) == []
    public = [path for path in own if path.parent.name == "Public"]
    assert [
        name for path in public for name in includes(path) if name.startswith(("grpc", "google", "facestream"))
    ] == []
    text = (SOURCE / module / f"{module}.Build.cs").read_text()
    for path in public:  # whoever includes a public header must find what that includes
        for name in includes(path):
            block = text[text.index("PublicDependency") : text.index("PrivateDependency")]
            assert f'"{module_of(name)}"' in block or module_of(name) in (module, None), f"{path.name}: {name}"
    used = {module_of(name) for path in own for name in includes(path)}
    unused = (
        dependencies(module)
        - used
        - {"AudioMixerCore", "SignalProcessing", "BlueprintGraph", "InputCore", "CoreUObject"}
    )
    assert not unused - {"Engine"}, "those left out are what engine headers that we include include in turn"


def test_a_missing_module_would_be_noticed(tmp_path: Path) -> None:
    (tmp_path / "Other.cpp").write_text('#include "Sockets.h"\n#include "CoreMinimal.h"\n')
    assert missing_modules("FaceStream", [tmp_path / "Other.cpp"]) == ["Other.cpp: Sockets.h"]


@pytest.mark.parametrize("path", headers(), ids=lambda path: path.name)
def test_headers_keep_the_rules(path: Path) -> None:
    assert header_problems(path.read_text(), path.stem, f"{path.parent.parent.name.upper()}_API") == []


def test_broken_rules_would_be_noticed() -> None:
    text = '// It.\n#pragma once\n#include "A.generated.h"\n#include "B.h"\nUCLASS()\nclass UA : public UObject\n{\n'
    text += "\tUPROPERTY()\n\tbool Is = true;\n"
    assert header_problems(text, "A", "X_API") == [
        "does not include its generated header last",
        "has a reflected type without X_API",
        "has not one GENERATED_BODY() in each reflected type",
        "Is is no name or type for a property",
    ]


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_sources_keep_the_rules(path: Path) -> None:
    found, text = includes(path), path.read_text()
    if (own := next((header for header in headers() if header.stem == path.stem), None)) is not None:
        assert found[0] == own.name, "its own header first"
    assert text.count("#define LOCTEXT_NAMESPACE") == text.count("#undef LOCTEXT_NAMESPACE") == int("LOCTEXT(" in text)
    for name in ("try {", "throw ", "dynamic_cast", "std::string", "std::thread", "grpc"):
        assert name not in text, f"{name} has no place in a module of Unreal's"


def test_handles_of_the_library_are_met_in_private_only() -> None:
    """What crosses the border of the shared library is C, and is wrapped where it is included."""
    for path in (*headers(), *sources()):
        text = path.read_text()
        if any(name.startswith("facestream/") for name in includes(path)):
            assert path.parent.name == "Private"
            assert re.search(r"THIRD_PARTY_INCLUDES_START\n(#include .*\n)+THIRD_PARTY_INCLUDES_END", text)
