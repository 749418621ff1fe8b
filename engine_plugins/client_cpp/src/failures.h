// What the end of a call means to the user.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "facestream/client/stream.h"
#include "facestream/v1/stream_started.pb.h"

namespace facestream {

// A failure, and whether a new call may continue the stream.
struct CallEnd {
  Failure failure;
  bool is_passing = false;
};

// `had_tls`: whether this side spoke TLS. `has_started`: whether the server had answered before.
CallEnd EndOf(const grpc::Status& status, const std::string& target, bool had_tls, bool has_started);

// What is wrong with the options before anyone is asked; kNone where nothing is.
Failure ProblemWith(const Connection& connection, const StreamOptions& options);

// What is wrong with the first answer for a client of 52 ARKit curves; kNone where nothing is.
Failure ProblemWith(const v1::StreamStarted& started, const std::string& target);

// A first message that is something else.
Failure NotStarted(const std::string& target);

}  // namespace facestream
