// What is said or heard by a component at the moment, and the face that it shows.
#pragma once

#include "CoreMinimal.h"
#include "FaceStreamCapture.h"
#include "FaceStreamClipReader.h"
#include "FaceStreamLine.h"
#include "FaceStreamMicrophone.h"
#include "FaceStreamMorphs.h"
#include "FaceStreamSubmixTap.h"
#include "FaceStreamVoice.h"

struct FFaceStreamParts
{
	TSharedRef<FFaceStreamVoice, ESPMode::ThreadSafe> Voice = MakeShared<FFaceStreamVoice, ESPMode::ThreadSafe>();
	TSharedPtr<FFaceStreamSpeech, ESPMode::ThreadSafe> Speech;
	TSharedPtr<FFaceStreamLine, ESPMode::ThreadSafe> Line; // the speech, where it is a line
	TUniquePtr<FFaceStreamMicrophone> Microphone;
	TUniquePtr<FFaceStreamSubmixTap> SubmixTap;
	TUniquePtr<FFaceStreamClipReader> ClipReader;
	FFaceStreamMorphs Morphs;
	int32 LineChannels = 1;
	TArray<float> Mono;
	TArray<float> FrameValues;

	fs_face Shown = FaceStreamRest();
	fs_face Left = FaceStreamRest(); // the face when the last speech was ended
	double LeftAt = -1.0;
	bool bAtRest = false;
	int64 Dropped = 0; // frames that the server could not send in time
	int64 SceneStart = -1; // frame of the day at which this speech began
	FName Subject; // in Live Link, none before the first face
};
