extends RefCounted
## Goes through the fields of one protobuf message. Which of the values has a meaning is for the message to say; a field
## that nobody asks for is passed over.

const _VARINT := 0
const _FIXED_64 := 1
const _LENGTH_DELIMITED := 2
const _FIXED_32 := 5

## Number of the field that `next` has found.
var field := 0

## Its value, where it is a whole number.
var integer := 0

## Whether these are the bytes of no message; `next` has ended there.
var is_malformed := false

var _message: PackedByteArray
var _at := 0
var _content := 0


func _init(message: PackedByteArray) -> void:
	_message = message


## Go to the next field; false at the end.
func next() -> bool:
	if is_malformed or _at >= _message.size():
		return false
	var tag := _varint()
	field = tag >> 3
	match tag & 7:
		_VARINT:
			integer = _varint()
		_LENGTH_DELIMITED:
			_skip(_varint())
		_FIXED_32:
			_skip(4)
		_FIXED_64:
			_skip(8)
		_:
			is_malformed = true
	return not is_malformed


## Content of the field: text, packed numbers, or a message within.
func data() -> PackedByteArray:
	return _message.slice(_content, _at)


## Content as UTF-8.
func text() -> String:
	return data().get_string_from_utf8()


## Content as packed 32-bit floats.
func singles() -> PackedFloat32Array:
	return data().to_float32_array()


func _skip(count: int) -> void:
	_content = _at
	_at += count
	is_malformed = is_malformed or count < 0 or _at > _message.size()


func _varint() -> int:
	var value := 0
	for shift in range(0, 70, 7):
		if _at >= _message.size():
			break
		var byte := _message[_at]
		_at += 1
		value |= (byte & 127) << shift
		if byte < 128:
			return value
	is_malformed = true
	return 0
