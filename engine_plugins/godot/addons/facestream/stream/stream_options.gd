extends RefCounted
## What a stream is asked for.

const Failure := preload("../wire/failure.gd")

## ws://HOST:PORT, or wss://HOST:PORT with TLS.
var server := "ws://localhost:8080"

## Only where the server asks for one.
var token := ""

## Certificates to be trusted, natively; null for the system's. In a browser, the browser decides.
var tls: TLSOptions

## A model of the server; empty for its first.
var model := ""

## Of the audio, 16 bits a sample.
var sample_rate := 16000

## Interleaved.
var channel_count := 1

## Frames a second as a ratio, 24 to 60.
var frame_rate := Vector2i(30, 1)

## Of blinks, gaze and sampled motion; -1 lets the server choose.
var seed := -1

## What happens to frames that are not read in time: drop_oldest or wait.
var slow_reader := &"drop_oldest"

## Whether a lost connection is replaced.
var resume := true

## mouth_strength, blinks, gaze; of models that act emotion, emotion_spread, speaker, style, style_strength, head_amount.
var controls := {}


## What is wrong with them; null where nothing is.
func problem() -> Failure:
	if not (server.begins_with("ws://") or server.begins_with("wss://")):
		return _invalid("server", server, "ws://HOST:PORT, or wss://HOST:PORT with TLS")
	var rate := frame_rate.x / float(maxi(frame_rate.y, 1))
	if rate < 24 or rate > 60:
		return _invalid("frame_rate", "%d/%d" % [frame_rate.x, frame_rate.y], "24 to 60 a second")
	if sample_rate < 8000 or sample_rate > 144_000:
		return _invalid("sample_rate", sample_rate, "8000 to 144000")
	if channel_count < 1 or channel_count > 8:
		return _invalid("channel_count", channel_count, "1 to 8")
	return null


static func _invalid(field: String, received: Variant, allowed: String) -> Failure:
	return Failure.new(&"invalid_value", "%s: got %s; allowed: %s" % [field, received, allowed])
