extends RefCounted
## The audio of a stream by sample position: what is yet to be sent, and what may have to be sent again.

## Bytes of a sample, all channels.
var sample_bytes: int

## Oldest sample held.
var first := 0

## Sample behind the newest one.
var end: int:
	get:
		return first + _bytes.size() / sample_bytes

var _bytes := PackedByteArray()
var _worth_dropping: int


func _init(bytes_of_a_sample: int, sample_rate: int) -> void:
	sample_bytes = bytes_of_a_sample
	_worth_dropping = sample_rate


func add(data: PackedByteArray) -> void:
	_bytes.append_array(data)


## Samples from a held one on; the end must be held, too.
func part(begin: int, until: int) -> PackedByteArray:
	return _bytes.slice((begin - first) * sample_bytes, (until - first) * sample_bytes)


## Drop what lies before `sample`, a second or more at a time.
func forget_before(sample: int) -> void:
	if sample - first >= _worth_dropping:
		_bytes = part(sample, end)
		first = sample
