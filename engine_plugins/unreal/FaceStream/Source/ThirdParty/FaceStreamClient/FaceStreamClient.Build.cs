using System.IO;
using UnrealBuildTool;

// libfacestream_client_shared, as the README tells to build it: one for each process, whoever links this module. gRPC is
// inside it and not to be seen from here; what crosses is C.
public class FaceStreamClient : ModuleRules
{
	public FaceStreamClient(ReadOnlyTargetRules Target) : base(Target)
	{
		Type = ModuleType.External;
		PublicSystemIncludePaths.Add(Path.Combine(ModuleDirectory, "include"));

		string Folder = Path.Combine(ModuleDirectory, "lib", Target.Platform.ToString());
		if (Target.Platform == UnrealTargetPlatform.Win64)
		{
			PublicDefinitions.Add("FACESTREAM_CORE_SHARED=1");
			PublicAdditionalLibraries.Add(Need(Path.Combine(Folder, "facestream_client_shared.lib")));
			PublicDelayLoadDLLs.Add("facestream_client_shared.dll");
			RuntimeDependencies.Add("$(TargetOutputDir)/facestream_client_shared.dll", Need(Path.Combine(Folder, "facestream_client_shared.dll")));
		}
		else if (Target.Platform == UnrealTargetPlatform.Mac)
		{
			string Library = Need(Path.Combine(Folder, "libfacestream_client_shared.dylib"));
			PublicDelayLoadDLLs.Add(Library);
			RuntimeDependencies.Add(Library);
		}
		else if (Target.Platform == UnrealTargetPlatform.Linux)
		{
			string Library = Need(Path.Combine(Folder, "libfacestream_client_shared.so"));
			PublicAdditionalLibraries.Add(Library);
			RuntimeDependencies.Add(Library);
		}
		else
		{
			throw new BuildException("FaceStream: no client library for {0}; there is one for Win64, Mac and Linux", Target.Platform);
		}
	}

	private static string Need(string File)
	{
		if (!System.IO.File.Exists(File))
		{
			throw new BuildException("FaceStream: {0} is missing; build it first, as the plugin's README tells", File);
		}
		return File;
	}
}
