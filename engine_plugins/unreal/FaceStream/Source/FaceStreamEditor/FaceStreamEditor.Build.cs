using UnrealBuildTool;

public class FaceStreamEditor : ModuleRules
{
	public FaceStreamEditor(ReadOnlyTargetRules Target) : base(Target)
	{
		PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;
		IWYUSupport = IWYUSupport.Full;

		PublicDependencyModuleNames.AddRange(new string[]
		{
			"AnimGraph",
			"Core",
			"CoreUObject",
			"Engine",
			"FaceStream",
		});
		PrivateDependencyModuleNames.AddRange(new string[]
		{
			"BlueprintGraph",
			"InputCore",
			"PropertyEditor",
			"Slate",
			"SlateCore",
		});
	}
}
