extends RefCounted
## Any AudioStream with an end as samples for the wire, read a little ahead of where it is heard.

const Failure := preload("../wire/failure.gd")
const Pcm := preload("pcm.gd")

## Samples a second of what `take` gives.
var sample_rate: int

## Channels of it, interleaved.
var channel_count := 1

## Why the stream can not be read; null where it can.
var problem: Failure

## Whether all of it was taken.
var is_over := false

var _data := PackedByteArray()
var _playback: AudioStreamPlayback
var _taken := 0
var _length := 0


func _init(stream: AudioStream) -> void:
	sample_rate = int(AudioServer.get_mix_rate())
	if stream is AudioStreamWAV and stream.format == AudioStreamWAV.FORMAT_16_BITS and stream.mix_rate <= 144_000:
		sample_rate = stream.mix_rate
		channel_count = 2 if stream.stereo else 1
		_data = stream.data
		_length = _data.size() / (2 * channel_count)
		return
	_length = int(stream.get_length() * sample_rate) if stream != null else 0
	_playback = stream.instantiate_playback() if stream != null else null
	if _length == 0 or _playback == null:
		var received := stream.get_class() if stream != null else "no stream"
		var allowed := "an AudioStream with an end; for others use push_samples or listen_to_bus"
		problem = Failure.new(&"invalid_value", "speak: got %s; allowed: %s" % [received, allowed])
		return
	_playback.start()


## The samples up to `until`, from where the last ones ended.
func take(until: int) -> PackedByteArray:
	var end := mini(until, _length)
	if end <= _taken:
		return PackedByteArray()
	var taken := _data.slice(2 * channel_count * _taken, 2 * channel_count * end) if _playback == null \
		else Pcm.mono16(_playback.mix_audio(1.0, end - _taken))
	_taken = end
	is_over = _taken == _length
	return taken
