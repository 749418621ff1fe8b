extends RefCounted
## A recording that is said: sent a little ahead of its sound, and played once its face is there.

const AnimationStream := preload("../stream/animation_stream.gd")
const Failure := preload("../wire/failure.gd")
const PlayerClock := preload("../playback/player_clock.gd")
const Recording := preload("recording.gd")

const _AHEAD_S := 1.5
const _TAIL_S := 0.5

var sample_rate: int
var channel_count: int
var problem: Failure

## Whether its sound may begin before frames are there for it.
var is_waiting := true

var _player: Node
var _recording: Recording
var _clock: PlayerClock
var _heard := -INF
var _over_at := INF


## `player` is an AudioStreamPlayer, or one of its kinds in 2D and 3D.
func _init(stream: AudioStream, player: Node) -> void:
	_recording = Recording.new(stream)
	problem = _recording.problem
	sample_rate = _recording.sample_rate
	channel_count = _recording.channel_count
	_clock = PlayerClock.new(sample_rate)
	_player = player
	_player.stop()
	_player.stream = stream


## Give the stream what is due, and tell it when that was all.
func feed(stream: AnimationStream) -> void:
	if not _recording.is_over:
		stream.write(_recording.take(int(maxf(_heard, 0) + _AHEAD_S * sample_rate)))
		if _recording.is_over:
			stream.finish()


## Let it be heard.
func begin() -> void:
	is_waiting = false
	_player.play()


## The sample that is audible now; -INF before the first one is.
func position(now: float) -> float:
	if is_waiting:
		return -INF
	if not _player.playing:
		_over_at = minf(_over_at, now)
	_heard = _clock.position(_player.get_playback_position(), _player.playing, now)
	return _heard


## Whether it was heard, and the face has come to rest.
func is_over(now: float) -> bool:
	return now > _over_at + _TAIL_S


func stop() -> void:
	_player.stop()
