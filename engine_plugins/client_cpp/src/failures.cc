#include "failures.h"

#include <cstring>

#include "facestream/core/curves.h"
#include "status_details.pb.h"

namespace facestream {
namespace {

std::string ReasonOf(const grpc::Status& status) {
  status::Status details;
  if (!details.ParseFromString(status.error_details())) return {};
  for (const auto& detail : details.details()) {
    const std::string& url = detail.type_url();
    status::ErrorInfo info;
    if (url.size() >= 21 && url.compare(url.size() - 21, 21, "/google.rpc.ErrorInfo") == 0 &&
        info.ParseFromString(detail.value())) {
      return info.reason();
    }
  }
  return {};
}

bool Mentions(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// Statuses that the server itself gave, with a reason.
CallEnd Told(const std::string& reason, const std::string& message, const std::string& target) {
  const std::string words = target + ": " + message;
  if (reason == "BUSY") return {{Failure::kBusy, words}, true};
  if (reason == "UNAVAILABLE") return {{Failure::kBusy, words}, true};
  if (reason == "ENGINE_FAILED") return {{Failure::kServer, words}, true};
  if (reason == "TIME_LIMIT") return {{Failure::kTimeLimit, words}, false};
  if (reason == "UNAUTHENTICATED") return {{Failure::kDenied, words}, false};
  if (reason == "INTERNAL" || reason == "BAD_BUNDLE") return {{Failure::kServer, words}, false};
  return {{Failure::kOptions, words}, false};
}

// No connection, in the words of gRPC's own library.
CallEnd Unreachable(const std::string& text, const std::string& target, bool had_tls, bool has_started) {
  if (has_started) return {{Failure::kLost, "the connection to " + target + " was lost: " + text}, true};
  const bool is_distrusted = Mentions(text, "certificate verify failed") ||
                             Mentions(text, "CERTIFICATE_VERIFY_FAILED") ||
                             Mentions(text, "Peer name");  // in the words of OpenSSL, BoringSSL and gRPC
  if (had_tls && is_distrusted) {
    return {{Failure::kTls, target + " has a certificate that is not trusted here, or one of another name: " + text +
                                "; give the PEM of who signed it, and the name it was signed for"},
            false};
  }
  if (had_tls && (Mentions(text, "SSL") || Mentions(text, "Ssl") || Mentions(text, "handshake"))) {
    return {{Failure::kTls, target + " does not speak TLS: " + text + "; switch TLS off here, or on there"}, false};
  }
  const bool was_reached = Mentions(text, "closed") || Mentions(text, "reset") || Mentions(text, "Broken pipe") ||
                           Mentions(text, "settings frame");
  if (!had_tls && was_reached) {
    return {
        {Failure::kTls, target + " closed the connection at once: " + text +
                            "; it may speak TLS only: switch TLS on here, with the PEM of who signed its certificate"},
        false};
  }
  return {{Failure::kUnreachable, "no connection to " + target + ": " + text + "; is the server running there?"},
          false};
}

}  // namespace

CallEnd EndOf(const grpc::Status& status, const std::string& target, bool had_tls, bool has_started) {
  const std::string reason = ReasonOf(status);
  const std::string& text = status.error_message();
  if (!reason.empty()) return Told(reason, text, target);
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return Unreachable(text, target, had_tls, has_started);
    case grpc::StatusCode::CANCELLED:  // not by this client, which does not ask then
      return {{Failure::kLost, target + " dropped the call: " + text + "; it may be stopping"}, has_started};
    case grpc::StatusCode::UNIMPLEMENTED:
      return {{Failure::kOtherVersion,
               target + " does not speak facestream.v1: " + text + "; check the address and the server's version"},
              false};
    case grpc::StatusCode::UNAUTHENTICATED:
      return {{Failure::kDenied, target + ": " + text}, false};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {{Failure::kTimeLimit, target + " did not answer in time: " + text}, false};
    default:
      return {
          {Failure::kServer, target + " ended the call with code " + std::to_string(status.error_code()) + ": " + text},
          false};
  }
}

Failure ProblemWith(const Connection& connection, const StreamOptions& options) {
  const auto problem = [](const char* field, const std::string& got, const char* allowed) {
    return Failure{Failure::kOptions, std::string(field) + ": got " + got + "; allowed: " + allowed};
  };
  if (connection.target.empty()) return problem("target", "nothing", "host:port, for example localhost:50051");
  if (options.sample_rate_hz < 8000 || options.sample_rate_hz > 144000) {
    return problem("sample_rate_hz", std::to_string(options.sample_rate_hz),
                   "8000 to 144000; the core's Resampler helps");
  }
  if (options.channel_count < 1 || options.channel_count > 8) {
    return problem("channel_count", std::to_string(options.channel_count), "1 to 8");
  }
  if (options.frame_rate.numerator <= 0 || options.frame_rate.denominator <= 0) {
    return problem("frame_rate",
                   std::to_string(options.frame_rate.numerator) + "/" + std::to_string(options.frame_rate.denominator),
                   "24/1 to 60/1, for example 30/1 or 30000/1001");
  }
  if (options.chunk_ms < 5 || options.chunk_ms > 500) {
    return problem("chunk_ms", std::to_string(options.chunk_ms), "5 to 500; the models' own step is 40");
  }
  if (options.audio_room_ms < 2 * options.chunk_ms || options.audio_room_ms > 60000) {
    return problem("audio_room_ms", std::to_string(options.audio_room_ms), "two chunks to 60000");
  }
  if (options.frame_room < 2 || options.frame_room > 1 << 16) {
    return problem("frame_room", std::to_string(options.frame_room), "2 to 65536");
  }
  return {};
}

Failure ProblemWith(const v1::StreamStarted& started, const std::string& target) {
  if (started.frame_rate().numerator() == 0) return NotStarted(target);
  const int count = started.curve_names_size();
  for (int curve = 0; curve < count && curve < kCurveCount; ++curve) {
    if (started.curve_names(curve) != kCurveNames[curve]) {
      return {Failure::kOtherCurves, target + " sends other curves: its column " + std::to_string(curve) + " is " +
                                         started.curve_names(curve) + ", where " + kCurveNames[curve] +
                                         " belongs; use a client of the server's version"};
    }
  }
  if (count != kCurveCount) {
    return {Failure::kOtherCurves, target + " sends " + std::to_string(count) +
                                       " curves, where the 52 of ARKit belong" +
                                       "; use a client of the server's version"};
  }
  return {};
}

Failure NotStarted(const std::string& target) {
  return {Failure::kOtherVersion,
          target + " answered without 'started': it speaks another version of facestream.v1; update the older side"};
}

}  // namespace facestream
