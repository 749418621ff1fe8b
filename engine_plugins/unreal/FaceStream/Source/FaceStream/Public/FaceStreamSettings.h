// Project Settings > Plugins > FaceStream: where the server is, and how much time a face may take.
#pragma once

#include "CoreMinimal.h"
#include "Engine/DeveloperSettings.h"
#include "Engine/EngineTypes.h"

#include "FaceStreamSettings.generated.h"

UCLASS(config = Game, defaultconfig, meta = (DisplayName = "FaceStream"))
class FACESTREAM_API UFaceStreamSettings : public UDeveloperSettings
{
	GENERATED_BODY()

public:
	/** host:port of the server. */
	UPROPERTY(config, EditAnywhere, BlueprintReadOnly, Category = "Server")
	FString Server = TEXT("localhost:50051");

	/** Sent with every call, where the server asks for one. What is written here can be read in a packaged game: use Set
	 * Server with a token of your own service there. */
	UPROPERTY(config, EditAnywhere, Category = "Server")
	FString Token;

	UPROPERTY(config, EditAnywhere, BlueprintReadOnly, Category = "Server")
	bool bTls = false;

	/** PEM of who signed the server's certificate; empty for the certificates of the machine. */
	UPROPERTY(config, EditAnywhere, Category = "Server", meta = (EditCondition = "bTls"))
	FFilePath RootCertificates;

	/** Name of a model; empty for the server's own choice. */
	UPROPERTY(config, EditAnywhere, BlueprintReadOnly, Category = "Face")
	FString Model;

	UPROPERTY(config, EditAnywhere, BlueprintReadOnly, Category = "Face", meta = (ClampMin = "24", ClampMax = "60"))
	int32 FramesPerSecond = 30;

	/** How much later than their capture the face of microphone and submix is shown. It must come within this time. */
	UPROPERTY(config, EditAnywhere, BlueprintReadOnly, Category = "Time", meta = (ClampMin = "50", ClampMax = "2000", Units = "ms"))
	int32 BufferMs = 250;

	/** From the engine's last buffer to the ear, beyond the buffers that the engine knows of: televisions and wireless
	 * headphones have 50 to 300. */
	UPROPERTY(config, EditAnywhere, BlueprintReadOnly, Category = "Time", meta = (ClampMin = "0", ClampMax = "1000", Units = "ms"))
	int32 OutputLatencyMs = 0;

	virtual FName GetCategoryName() const override;

	/** Another server for every line from now on. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	static void SetServer(const FString& InServer, const FString& InToken, bool bInTls);
};
