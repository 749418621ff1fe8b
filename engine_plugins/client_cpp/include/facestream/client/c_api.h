/* The client for languages that call C, and for programs whose compiler or standard library is not the one gRPC was
 * built with: engines above all. The shared library facestream_client_shared has this and the core's interface, and
 * shows nothing else of what is inside it.
 *
 * Rules are those of facestream/core/c_api.h. Texts are UTF-8 and copied; NULL is the same as "". */
#ifndef FACESTREAM_CLIENT_C_API_H_
#define FACESTREAM_CLIENT_C_API_H_

#include "facestream/core/c_api.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the server is and how it is spoken to. */
typedef struct fs_connection {
  const char* target;            /* host:port */
  const char* token;             /* sent as a bearer token where not empty */
  const char* root_certificates; /* PEM, of who signed the server's certificate; empty for the machine's own */
  int32_t has_tls;
  int32_t has_resume; /* a lost connection is replaced and the stream goes on */
} fs_connection;

/* What the motion does beyond following the audio. Negative numbers and empty texts leave a value as it is. */
typedef struct fs_controls {
  float mouth_strength; /* 0 to 2 */
  int32_t blinks;       /* 0 or 1 */
  int32_t gaze;         /* 0 or 1 */
  const char* emotion;  /* a preset, or "speech" for the speech's own */
  float emotion_spread;
  const char* speaker;
  const char* style; /* one of the model's, or "none" */
  float style_strength;
  float head_amount;
} fs_controls;

typedef struct fs_stream_options {
  int32_t sample_rate_hz; /* 8000 to 144000 */
  int32_t channel_count;  /* interleaved */
  int32_t sends_floats;   /* 32-bit floats instead of 16-bit integers over the wire */
  int32_t frame_rate_numerator;
  int32_t frame_rate_denominator;
  const char* model; /* empty for the server's default */
  int64_t seed;      /* negative for one of the server's choice */
  int32_t waits_for_reader;
  int32_t chunk_ms;
  int32_t audio_room_ms;
  int32_t frame_room;
  fs_controls controls;
} fs_stream_options;

/* Fill in what facestream/client/stream.h has as defaults, and controls that change nothing. */
FS_API void fs_connection_defaults(fs_connection* connection);
FS_API void fs_controls_defaults(fs_controls* controls);
FS_API void fs_stream_defaults(fs_stream_options* options);

/* As facestream::State and facestream::Failure::Kind count them. */
typedef enum fs_state {
  FS_STATE_CONNECTING,
  FS_STATE_STREAMING,
  FS_STATE_RECONNECTING,
  FS_STATE_ENDED,
  FS_STATE_FAILED
} fs_state;
typedef enum fs_failure {
  FS_FAILURE_NONE,
  FS_FAILURE_OPTIONS,
  FS_FAILURE_UNREACHABLE,
  FS_FAILURE_TLS,
  FS_FAILURE_DENIED,
  FS_FAILURE_OTHER_VERSION,
  FS_FAILURE_OTHER_CURVES,
  FS_FAILURE_BUSY,
  FS_FAILURE_LOST,
  FS_FAILURE_TIME_LIMIT,
  FS_FAILURE_SERVER
} fs_failure;

/* As facestream::Event. */
typedef enum fs_event_kind {
  FS_EVENT_FLUSH_DONE,
  FS_EVENT_GAP,
  FS_EVENT_FRAMES_DROPPED,
  FS_EVENT_SPEECH_STARTED,
  FS_EVENT_SPEECH_ENDED,
  FS_EVENT_AHEAD_OF_REAL_TIME,
  FS_EVENT_GOING_AWAY,
  FS_EVENT_RESUMED
} fs_event_kind;
typedef struct fs_event {
  int32_t kind;
  int64_t id, position, count;
} fs_event;

/* What the server said when the stream opened; zeros and "" before. */
typedef struct fs_stream_info {
  char model[64];
  char model_version[32];
  int32_t frame_rate_numerator;
  int32_t frame_rate_denominator;
  int64_t latency_samples;
  uint64_t seed;
} fs_stream_info;

/* A stream: one thread sends (send, skip, finish), one reads (read, read_event); what is left may be called by any.
 * None of these waits but *_destroy, which cancels what is under way and joins the stream's two threads. */
typedef struct fs_stream fs_stream;
FS_API fs_stream* fs_stream_create(const fs_connection* connection, const fs_stream_options* options);
FS_API void fs_stream_destroy(fs_stream* stream);

/* Takes `count` samples of interleaved channels, -1..1; says how many. What does not fit is lost, and silence. */
FS_API size_t fs_stream_send(fs_stream* stream, const float* samples, size_t count);
FS_API size_t fs_stream_room(const fs_stream* stream);
FS_API void fs_stream_skip(fs_stream* stream, int64_t count);
FS_API void fs_stream_finish(fs_stream* stream);

/* Allocates a little, as the only ones. */
FS_API void fs_stream_control(fs_stream* stream, const fs_controls* controls);
FS_API void fs_stream_flush(fs_stream* stream, int64_t marker_id);

/* 1 with a frame or event, 0 where none waits. */
FS_API int32_t fs_stream_read(fs_stream* stream, int64_t* frame_index, fs_face* face);
FS_API int32_t fs_stream_read_event(fs_stream* stream, fs_event* event);

FS_API int32_t fs_stream_state(const fs_stream* stream);
/* Kind of the failure. `message` (NULL for none wanted) gets one sentence for the user, cut to `capacity` with its
 * end. */
FS_API int32_t fs_stream_failure(const fs_stream* stream, char* message, size_t capacity);
FS_API void fs_stream_get_info(const fs_stream* stream, fs_stream_info* info);
FS_API int64_t fs_stream_lost_samples(const fs_stream* stream);
FS_API int32_t fs_stream_resume_count(const fs_stream* stream);

#ifdef __cplusplus
}
#endif

#endif
