// A server in this process that does what a test wants, right or wrong.
#pragma once

#include <grpcpp/server_builder.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "facestream/core/curves.h"
#include "facestream/core/frame_clock.h"
#include "facestream/v1/animation_service.grpc.pb.h"

namespace facestream::tests {

using Conversation = grpc::ServerReaderWriter<v1::AnimateResponse, v1::AnimateRequest>;

class ScriptedServer : public v1::AnimationService::Service {
 public:
  // `script` is the whole of a call, told which one it is, from 0.
  using Script = std::function<grpc::Status(int call, grpc::ServerContext& context, Conversation& conversation)>;

  explicit ScriptedServer(Script script) : script_(std::move(script)) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }

  ~ScriptedServer() override { server_->Shutdown(std::chrono::system_clock::now()); }

  const std::string& address() const { return address_; }

  grpc::Status Animate(grpc::ServerContext* context, Conversation* conversation) override {
    return script_(calls_++, *context, *conversation);
  }

 private:
  Script script_;
  std::atomic<int> calls_{0};
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

inline v1::AnimateResponse Started() {
  v1::AnimateResponse answer;
  v1::StreamStarted* started = answer.mutable_started();
  started->set_stream_id("scripted");
  started->set_resume_token("token");
  for (const char* name : kCurveNames) started->add_curve_names(name);
  started->mutable_frame_rate()->set_numerator(30);
  started->mutable_frame_rate()->set_denominator(1);
  return answer;
}

// Frames whose first weight is their index / 1000.
inline v1::AnimateResponse Frames(int64_t first, int count) {
  v1::AnimateResponse answer;
  answer.mutable_frames()->set_first_frame_index(first);
  answer.mutable_frames()->set_frame_count(static_cast<uint32_t>(count));
  for (int place = 0; place < count; ++place) {
    for (int curve = 0; curve < kCurveCount; ++curve) {
      answer.mutable_frames()->add_weights(curve == 0 ? static_cast<float>(first + place) / 1000 : 0);
    }
  }
  return answer;
}

// Does as a good server does at 16 kHz, 16-bit: a frame as soon as its sample came. `on_request` sees what is read, and
// says whether to go on.
inline grpc::Status Serve(Conversation& conversation,
                          const std::function<bool(const v1::AnimateRequest&)>& on_request) {
  v1::AnimateRequest request;
  if (!conversation.Read(&request) || !on_request(request)) return grpc::Status(grpc::UNAVAILABLE, "cut off");
  int64_t next_frame = request.config().resume().first_frame_index(), end_sample = 0;
  conversation.Write(Started());
  while (conversation.Read(&request)) {
    if (!on_request(request)) return grpc::Status(grpc::UNAVAILABLE, "cut off");
    if (request.has_flush()) {
      v1::AnimateResponse answer;
      answer.mutable_event()->mutable_flush_done()->set_marker_id(request.flush().marker_id());
      conversation.Write(answer);
    }
    if (!request.has_audio()) continue;
    end_sample = request.audio().first_sample() + static_cast<int64_t>(request.audio().data().size() / 2);
    const int64_t frames = FrameClock{{30, 1}, 16000}.FramesUntil(end_sample);
    if (frames > next_frame) conversation.Write(Frames(next_frame, static_cast<int>(frames - next_frame)));
    next_frame = std::max(next_frame, frames);
  }
  return grpc::Status::OK;
}

}  // namespace facestream::tests
