#pragma once

#include "Components/ActorComponent.h"

class AActor : public UObject
{
	STUB_CLASS(AActor, UObject)

	template <typename T>
	void GetComponents(TArray<T*>& OutComponents) const
	{
		OutComponents.Reset();
		for (UActorComponent* Component : Components)
		{
			if (T* Found = Cast<T>(Component))
			{
				OutComponents.Add(Found);
			}
		}
	}
	template <typename T>
	T* FindComponentByClass() const
	{
		TArray<T*> Found;
		GetComponents(Found);
		return Found.Num() > 0 ? Found[0] : nullptr;
	}

	TArray<UActorComponent*> Components; // the driver's to fill
};
