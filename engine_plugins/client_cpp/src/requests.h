// Values of the client as messages of the wire, and back.
#pragma once

#include <string>
#include <vector>

#include "facestream/client/stream.h"
#include "facestream/v1/animation_service.pb.h"

namespace facestream {

// The first message of a call, without what continues a stream.
v1::StreamConfig ConfigOf(const StreamOptions& options);

// Lays `later` over `earlier`.
void Merge(const Controls& later, Controls* earlier);

v1::MotionControls ControlsOf(const Controls& controls);

// Floats -1..1 as the bytes of `options`; the string keeps its memory. False where one is no number.
bool EncodeAudio(const StreamOptions& options, const float* values, size_t count, std::string* bytes);

StreamInfo InfoOf(const v1::StreamStarted& started, const StreamOptions& options);

// Frame `place` of a run whose size was checked.
Frame FrameOf(const v1::FrameRun& run, int place);

// Whether a run holds what it says: so many frames of 52 curves, finite, rotations for all or none.
bool IsWhole(const v1::FrameRun& run);

// False for a kind that only a newer server knows.
bool EventOf(const v1::StreamEvent& message, Event* event);

}  // namespace facestream
