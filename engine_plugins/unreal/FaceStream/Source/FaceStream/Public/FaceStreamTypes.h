// What Blueprints see of a talking character: its state, the names of its curves, what its motion does.
#pragma once

#include "CoreMinimal.h"

#include "FaceStreamTypes.generated.h"

FACESTREAM_API DECLARE_LOG_CATEGORY_EXTERN(LogFaceStream, Log, All);

UENUM(BlueprintType)
enum class EFaceStreamState : uint8
{
	/** Nothing is said. */
	Silent,
	/** The server was called and has not answered. */
	Connecting,
	Speaking,
	/** The connection was lost; frames go on when there is a new one. */
	Reconnecting,
	/** The rest of the line has no face. The message says why. */
	Failed
};

/** Names of the curves that a character listens to. */
UENUM(BlueprintType)
enum class EFaceStreamNames : uint8
{
	/** EyeBlinkLeft, JawOpen, ...: as Live Link Face has them, and what a MetaHuman's face graph maps by itself. */
	ARKit,
	/** CTRL_expressions_jawOpen, ...: for a face graph without that mapping. An approximation of it. */
	MetaHuman
};

/** What the motion does beyond following the audio. Negative numbers and empty names leave a value as it is. */
USTRUCT(BlueprintType)
struct FACESTREAM_API FFaceStreamControls
{
	GENERATED_BODY()

	/** Gain of the mouth's movement. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream", meta = (ClampMin = "-1", ClampMax = "2"))
	float MouthStrength = -1.0f;

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	bool bBlinks = true;

	/** Small movements of the eyes. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	bool bGaze = true;

	/** One of the model's, or "speech" for that of the speech. For models that act in emotions. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	FString Emotion;

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	float EmotionSpread = -1.0f;

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	FString Speaker;

	/** One of the model's, or "none". For models that act in styles. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	FString Style;

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	float StyleStrength = -1.0f;

	/** How much the head moves, for models that move it. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	float HeadAmount = -1.0f;
};
