using UnrealBuildTool;

public class FaceStream : ModuleRules
{
	public FaceStream(ReadOnlyTargetRules Target) : base(Target)
	{
		PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;
		IWYUSupport = IWYUSupport.Full;

		PublicDependencyModuleNames.AddRange(new string[]
		{
			"Core",
			"CoreUObject",
			"Engine",
			"AudioMixer",
			"DeveloperSettings",
			"LiveLinkInterface",
		});
		PrivateDependencyModuleNames.AddRange(new string[]
		{
			"AudioCaptureCore",
			"AudioMixerCore",
			"FaceStreamClient",
			"Projects",
			"SignalProcessing",
		});
	}
}
