#include "FaceStreamMorphs.h"

#include "Animation/MorphTarget.h"
#include "Components/SkeletalMeshComponent.h"
#include "Engine/SkeletalMesh.h"
#include "FaceStreamTypes.h"
#include "GameFramework/Actor.h"

void FFaceStreamMorphs::Apply(const AActor& Owner, const fs_face& Face)
{
	Scratch.Reset();
	Owner.GetComponents(Scratch);
	if (!IsCurrent(Scratch))
	{
		Find(Owner, Scratch);
	}
	for (const FMesh& Mesh : Meshes)
	{
		for (const FTarget& Target : Mesh.Targets)
		{
			Mesh.Component->SetMorphTarget(Target.Name, Face.weights[Target.Curve]);
		}
	}
}

bool FFaceStreamMorphs::IsCurrent(const TArray<USkeletalMeshComponent*>& Found) const
{
	if (Found.Num() != Meshes.Num())
	{
		return false;
	}
	for (int32 Place = 0; Place < Found.Num(); ++Place)
	{
		if (Meshes[Place].Component.Get() != Found[Place] || Meshes[Place].Asset.Get() != Found[Place]->GetSkeletalMeshAsset())
		{
			return false;
		}
	}
	return true;
}

void FFaceStreamMorphs::Find(const AActor& Owner, const TArray<USkeletalMeshComponent*>& Found)
{
	Meshes.Reset();
	int32 Count = 0;
	for (USkeletalMeshComponent* Component : Found)
	{
		FMesh& Mesh = Meshes.AddDefaulted_GetRef();
		Mesh.Component = Component;
		USkeletalMesh* Asset = Component->GetSkeletalMeshAsset();
		Mesh.Asset = Asset;
		if (Asset == nullptr)
		{
			continue;
		}
		for (const UMorphTarget* Morph : Asset->GetMorphTargets())
		{
			const int32 Curve = fs_match_curve(TCHAR_TO_UTF8(*Morph->GetName()));
			if (Curve >= 0)
			{
				Mesh.Targets.Add({Morph->GetFName(), Curve});
			}
		}
		Count += Mesh.Targets.Num();
	}
	if (Count == 0)
	{
		UE_LOG(LogFaceStream, Warning, TEXT("%s: no morph target of its meshes is called as one of ARKit's 52; its face will not move by morph targets"),
			*Owner.GetName());
	}
}
