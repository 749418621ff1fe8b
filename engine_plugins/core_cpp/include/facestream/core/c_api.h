/* The core for languages that call C. No function throws; none but *_create and *_destroy allocates.
 *
 * Handles come from *_create, which gives NULL for values out of their range, and go to *_destroy, which takes NULL. A
 * handle is used by one thread at a time, except where a function says otherwise. Other pointers must not be NULL
 * unless that is said. Arrays belong to the caller. */
#ifndef FACESTREAM_CORE_C_API_H_
#define FACESTREAM_CORE_C_API_H_

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(FACESTREAM_CORE_SHARED)
#ifdef FACESTREAM_CORE_BUILDING
#define FS_API __declspec(dllexport)
#else
#define FS_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define FS_API __attribute__((visibility("default")))
#else
#define FS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define FS_CURVE_COUNT 52
#define FS_LIVE_LINK_COUNT 61
#define FS_VISEME_COUNT 15
#define FS_METAHUMAN_COUNT 76

/* Changes whenever a function here changes its meaning. */
#define FS_ABI_VERSION 1
FS_API int32_t fs_abi_version(void);

/* Curves 0..1 in canonical order, then head, left eye, right eye as quaternions x y z w. */
typedef struct fs_face {
  float weights[FS_CURVE_COUNT];
  float head[4];
  float left_eye[4];
  float right_eye[4];
} fs_face;

/* Names; NULL for an index out of range. */
FS_API const char* fs_curve_name(int32_t curve);
FS_API const char* fs_live_link_name(int32_t property);
FS_API const char* fs_metahuman_name(int32_t control);
FS_API const char* fs_viseme_name(int32_t viseme);
/* Column of a canonical name, or of a mesh's shape however its exporter wrote it; -1 for none. */
FS_API int32_t fs_curve_index(const char* name);
FS_API int32_t fs_match_curve(const char* mesh_name);

FS_API void fs_between(const fs_face* first, const fs_face* second, float share, fs_face* out);
FS_API void fs_metahuman_controls(const float* weights, float* controls);
FS_API void fs_visemes(const float* weights, float* visemes);
FS_API void fs_live_link_values(const fs_face* face, float* values);
/* Quaternions of this interface in the axes of Unity and Unreal. */
FS_API void fs_to_unity(const float* rotation, float* out);
FS_API void fs_to_unreal(const float* rotation, float* out);

/* ceil(frame_index * rate_hz * denominator / numerator), the sample that a frame belongs to. */
FS_API int64_t fs_sample_of(int32_t numerator, int32_t denominator, int32_t rate_hz, int64_t frame_index);

/* Frames for any audio position: see jitter_buffer.h. */
typedef struct fs_jitter_buffer fs_jitter_buffer;
FS_API fs_jitter_buffer* fs_jitter_buffer_create(int32_t numerator, int32_t denominator, int32_t rate_hz,
                                                 int32_t capacity);
FS_API void fs_jitter_buffer_destroy(fs_jitter_buffer* buffer);
/* 1, or 0 where there is no room. */
FS_API int32_t fs_jitter_buffer_add(fs_jitter_buffer* buffer, int64_t frame_index, const fs_face* face);
/* 1 where frames are missing there, so that the face holds or eases to neutral; else 0. */
FS_API int32_t fs_jitter_buffer_at(fs_jitter_buffer* buffer, int64_t sample, fs_face* face);
FS_API int32_t fs_jitter_buffer_count(const fs_jitter_buffer* buffer);

/* The sample that is audible now: see presentation_clock.h. One thread may report while another asks. */
typedef struct fs_presentation_clock fs_presentation_clock;
FS_API fs_presentation_clock* fs_presentation_clock_create(int32_t rate_hz, int64_t output_delay_samples);
FS_API void fs_presentation_clock_destroy(fs_presentation_clock* clock);
FS_API void fs_presentation_clock_report(fs_presentation_clock* clock, int64_t samples_handed_over, int64_t now_ns);
FS_API int64_t fs_presentation_clock_position(fs_presentation_clock* clock, int64_t now_ns);

/* Any rate of 8000 to 192000 to any other, one channel. Room for outputs: fs_resampler_most_outputs. */
typedef struct fs_resampler fs_resampler;
FS_API fs_resampler* fs_resampler_create(int32_t in_rate_hz, int32_t out_rate_hz);
FS_API void fs_resampler_destroy(fs_resampler* resampler);
FS_API size_t fs_resampler_most_outputs(const fs_resampler* resampler, size_t count);
FS_API size_t fs_resampler_push(fs_resampler* resampler, const float* samples, size_t count, float* out);
/* What is left, as if silence followed; room for fs_resampler_most_outputs(in_rate / 400). */
FS_API size_t fs_resampler_flush(fs_resampler* resampler, float* out);

/* A queue of samples: one thread pushes, one pops. Both say how many. */
typedef struct fs_sample_queue fs_sample_queue;
FS_API fs_sample_queue* fs_sample_queue_create(int32_t capacity);
FS_API void fs_sample_queue_destroy(fs_sample_queue* queue);
FS_API size_t fs_sample_queue_push(fs_sample_queue* queue, const float* samples, size_t count);
FS_API size_t fs_sample_queue_pop(fs_sample_queue* queue, float* samples, size_t count);

/* One Live Link Face datagram; bytes written, 0 where it does not fit. `values` of FS_LIVE_LINK_COUNT, NULL for "no
 * face". `device_id` should be a UUID of 36 characters. */
FS_API size_t fs_live_link_encode(const char* device_id, const char* subject, int64_t ns_since_midnight,
                                  const float* values, uint8_t* data, size_t capacity);
/* 1 with a face, 0 without, -1 where the bytes are no such datagram. `subject` has room for 256 characters. */
FS_API int32_t fs_live_link_decode(const uint8_t* data, size_t size, char* subject, float* values);

/* One face as VMC datagrams. `names`: 0 "JawOpen", 1 "jawOpen", 2 presets of VRM 0.x, 3 presets of VRM 1.0. */
typedef void (*fs_send)(void* context, const uint8_t* data, size_t size);
FS_API void fs_vmc_encode(const fs_face* face, float time_s, int32_t names, int32_t has_rotations, fs_send send,
                          void* context);
/* Calls `take` for every expression and, as "", for "apply". 1, or 0 where the bytes are no OSC packet. The name is not
 * terminated. */
typedef void (*fs_take_blend)(void* context, const char* name, size_t length, float value);
FS_API int32_t fs_vmc_decode(const uint8_t* data, size_t size, fs_take_blend take, void* context);

#ifdef __cplusplus
}
#endif

#endif
