// A character's voice and face: plays audio, sends it to the server, and shows each face when its sound is heard.
#pragma once

#include "CoreMinimal.h"
#include "Components/SynthComponent.h"
#include "FaceStreamTypes.h"

#include "FaceStreamComponent.generated.h"

class FFaceStreamSpeech;
class USoundSubmix;
class USoundWave;
struct FFaceStreamMoment;
struct FFaceStreamOptions;
struct FFaceStreamParts;
struct FFaceStreamSound;

DECLARE_DYNAMIC_MULTICAST_DELEGATE_TwoParams(FFaceStreamStateChanged, EFaceStreamState, State, const FString&, Message);
DECLARE_DYNAMIC_MULTICAST_DELEGATE(FFaceStreamLineEnded);

/**
 * Audio comes from a sound wave, as PCM, from a submix or the microphone; one at a time, and what begins ends what went on
 * before. Everything here is for the game thread.
 *
 * The face goes to Live Link (a subject), to animation graphs (node "FaceStream") and, if asked for, to morph targets.
 */
UCLASS(ClassGroup = (Audio), meta = (BlueprintSpawnableComponent))
class FACESTREAM_API UFaceStreamComponent : public USynthComponent
{
	GENERATED_BODY()

public:
	UFaceStreamComponent(const FObjectInitializer& ObjectInitializer);

	/** Name of the Live Link subject; empty for that of the actor. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	FName SubjectName;

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	bool bLiveLink = true;

	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	EFaceStreamNames Names = EFaceStreamNames::ARKit;

	/** Move the morph targets of all skeletal meshes of this actor that are called as ARKit's, however they are spelled. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	bool bMorphTargets = false;

	/** Name of a model; empty for that of the settings. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream")
	FString Model;

	/** Of blinks, gaze and what a model draws by chance; negative for another one each line. */
	UPROPERTY(EditAnywhere, BlueprintReadWrite, Category = "FaceStream", AdvancedDisplay)
	int64 Seed = -1;

	/** What a line begins with; Set Emotion and its like change it. */
	UPROPERTY(EditAnywhere, BlueprintReadOnly, Category = "FaceStream")
	FFaceStreamControls Controls;

	/** State and, where it is Failed, one sentence: what is wrong, where, and what to try. */
	UPROPERTY(BlueprintAssignable, Category = "FaceStream")
	FFaceStreamStateChanged OnStateChanged;

	/** The last sound of a line was heard and its face is at rest. */
	UPROPERTY(BlueprintAssignable, Category = "FaceStream")
	FFaceStreamLineEnded OnLineEnded;

	/** Say a sound. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	void Say(USoundWave* Sound);

	/** Begin a line whose audio comes by Push Pcm, of 8,000 to 192,000 Hz. False, and a message, where it can not begin. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	bool StartStream(int32 SampleRate = 24000, int32 NumInputChannels = 1);

	/** More of the line, interleaved, -1..1. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	void PushPcm(const TArray<float>& Samples);

	/** The same as little-endian 16-bit integers, as speech synthesis gives them. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	void PushPcm16(const TArray<uint8>& Bytes);

	/** No more audio follows; On Line Ended tells when it was said. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	void EndOfLine();

	/** Follow the player's microphone, which is not played. False, and a message, where there is none. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	bool ListenToMicrophone();

	/** Follow what a submix plays. With `bPlayDelayed` this component plays it again, in time with the face; the submix itself
	 * should then lead into a silent one. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	bool ListenToSubmix(USoundSubmix* Submix, bool bPlayDelayed);

	/** End what is said or listened to, now; the face eases to rest. */
	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	void StopSpeaking();

	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	void SetEmotion(const FString& Emotion, float Spread = -1.0f);

	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	void SetStyle(const FString& Style, float Strength = -1.0f);

	UFUNCTION(BlueprintCallable, Category = "FaceStream")
	void SetControls(const FFaceStreamControls& NewControls);

	UFUNCTION(BlueprintPure, Category = "FaceStream")
	EFaceStreamState GetState() const { return State; }

	UFUNCTION(BlueprintPure, Category = "FaceStream")
	bool IsSpeaking() const;

	/** Whether the face of the next tenth of a second is there. Who renders pictures more slowly than they are shown waits for
	 * it with each. */
	UFUNCTION(BlueprintPure, Category = "FaceStream")
	bool IsFaceReady() const;

	/** A curve of the face that is shown, by any of its names; 0 for one that there is not. */
	UFUNCTION(BlueprintPure, Category = "FaceStream")
	float GetCurve(FName Curve) const;

	/** Names and values of the face that is shown: curves, then yaw, pitch and roll of head and eyes in radians. */
	const TArray<FName>& GetCurveNames() const { return CurveNames; }
	const TArray<float>& GetCurveValues() const { return CurveValues; }

	/** One line of figures, for the console. */
	FString DescribeFigures() const;

	virtual void TickComponent(float DeltaTime, ELevelTick TickType, FActorComponentTickFunction* ThisTickFunction) override;
	virtual void EndPlay(const EEndPlayReason::Type Reason) override;

protected:
	virtual ISoundGeneratorPtr CreateSoundGenerator(const FSoundGeneratorInitParams& InParams) override;

private:
	bool FindSound(FFaceStreamSound& OutSound);
	bool FindOptions(FFaceStreamOptions& OutOptions);
	void Begin(const TSharedRef<FFaceStreamSpeech, ESPMode::ThreadSafe>& Speech);
	void Release();
	void Show();
	void Publish(FFaceStreamSpeech* Speech, const FFaceStreamMoment& Moment, double Now);
	void SetState(EFaceStreamState NewState, const FString& Message = FString());
	void Fail(const FString& Message);
	FName SubjectNow() const;

	// what is said at the moment, and the face that is shown
	TSharedPtr<FFaceStreamParts> Parts;
	TArray<FName> CurveNames;
	TArray<float> CurveValues;
	EFaceStreamState State = EFaceStreamState::Silent;
};
