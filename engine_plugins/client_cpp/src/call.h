// One gRPC call, shared by the thread that reads and the one that writes.
#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/support/sync_stream.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "facestream/v1/animation_service.grpc.pb.h"

namespace facestream {

class Call {
 public:
  Call(v1::AnimationService::Stub& stub, const std::string& token) {
    context_.AddMetadata("facestream-client", "cpp/0.1.0");
    if (!token.empty()) context_.AddMetadata("authorization", "Bearer " + token);
    context_.set_initial_metadata_corked(true);  // goes with the first message: nothing here waits for a connection
    stream_ = stub.Animate(&context_);
  }

  // Writer: false once the call is over; a message may be lost then.
  bool Write(const v1::AnimateRequest& request) {
    std::lock_guard<std::mutex> lock(writing_);
    return !is_over_ && stream_->Write(request);
  }

  // Writer: nothing more will be sent.
  void HalfClose() {
    std::lock_guard<std::mutex> lock(writing_);
    if (!is_over_) stream_->WritesDone();
  }

  // Reader: false once no answer will come; then Finish.
  bool Read(v1::AnimateResponse* answer) { return stream_->Read(answer); }

  // Reader: how the call ended. Waits for a write under way, which fails when a call has ended.
  grpc::Status Finish() {
    is_over_ = true;
    std::lock_guard<std::mutex> lock(writing_);
    return stream_->Finish();
  }

  // Any thread: ends the call now.
  void Cancel() { context_.TryCancel(); }

  bool is_over() const { return is_over_; }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AnimateRequest, v1::AnimateResponse>> stream_;
  std::mutex writing_;
  std::atomic<bool> is_over_{false};
};

}  // namespace facestream
