extends RefCounted
## Which sample a frame belongs to: `ceil(i * rate * denominator / numerator)`, in whole numbers.

var _samples: int
var _frames: int


func _init(sample_rate: int, frame_rate: Vector2i) -> void:
	_samples = sample_rate * frame_rate.y
	_frames = frame_rate.x


func sample_of(frame: int) -> int:
	return (frame * _samples + _frames - 1) / _frames


## The frame at a position, fractions included.
func frame_at(sample: float) -> float:
	return sample * _frames / _samples

