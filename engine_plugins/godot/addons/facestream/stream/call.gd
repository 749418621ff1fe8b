extends RefCounted
## One call over one WebSocket: messages out and in, and why it ended. See docs/websocket.md of the project.

const Failure := preload("../wire/failure.gd")

const _PATH := "/facestream.v1.AnimationService/Animate"
const _BINARY := "facestream.v1.binary"
## Once a close frame is there WebSocketPeer throws away what was not read, so it is this side that closes.
const _CLIENT_CLOSES := "facestream.client-closes"
const _UNSENT_BYTES := 64 * 1024
const _BUFFER_BYTES := 4 * 1024 * 1024
const _OPENS_WITHIN_S := 5.0

## Why it ended, unless all was well or it was cancelled; null until then.
var failure: Failure

## Whether nothing more will come.
var has_ended := false

var _server: String
var _socket := WebSocketPeer.new()
var _opens_until := INF
var _has_opened := false
var _said: Failure


func _init(server: String, token: String, tls: TLSOptions) -> void:
	_server = server.trim_suffix("/")
	var protocols := PackedStringArray([_BINARY, _CLIENT_CLOSES])
	if not token.is_empty():
		protocols.append("facestream.token." + _base64url(token))
	_socket.supported_protocols = protocols
	_socket.inbound_buffer_size = _BUFFER_BYTES
	_socket.outbound_buffer_size = _BUFFER_BYTES
	if _socket.connect_to_url(_server + _PATH, tls) != OK:
		_end(Failure.of_address(_server))


## Do what there is to do; messages come and go only in here.
func poll(now: float) -> void:
	if has_ended:
		return
	_socket.poll()
	match _socket.get_ready_state():
		WebSocketPeer.STATE_OPEN:
			if not _has_opened and not OS.has_feature("web"):  # browsers never delay
				_socket.set_no_delay(true)
			_has_opened = true
		WebSocketPeer.STATE_CONNECTING:
			_opens_until = minf(_opens_until, now + _OPENS_WITHIN_S)
			if now > _opens_until:
				_socket.close(-1)
				_end(Failure.of_address(_server))
		WebSocketPeer.STATE_CLOSED:
			_end(_said if _said != null else _closing())


## Whether a message may be written now: it is open, and little is waiting.
func has_room() -> bool:
	var is_open := _socket.get_ready_state() == WebSocketPeer.STATE_OPEN
	return is_open and _socket.get_current_outbound_buffered_amount() < _UNSENT_BYTES


func send(message: PackedByteArray) -> void:
	_socket.send(message)


## Say that nothing more will be sent.
func finish() -> void:
	_socket.send(PackedByteArray())


## The next message; empty where none is there.
func receive() -> PackedByteArray:
	while not has_ended and _socket.get_available_packet_count() > 0:
		var packet := _socket.get_packet()
		if _socket.was_string_packet():
			_said = Failure.of_status(_server, packet.get_string_from_utf8())
		elif packet.is_empty():
			_socket.close()
			_end(_said)
		else:
			return packet
	return PackedByteArray()


## End it now; the server frees its place.
func cancel() -> void:
	_socket.close()
	_end(null)


func _closing() -> Failure:
	return Failure.of_close(_server, _socket.get_close_code(), _socket.get_close_reason()) if _has_opened \
		else Failure.of_address(_server)


func _end(why: Failure) -> void:
	if not has_ended:
		failure = why
	has_ended = true


static func _base64url(text: String) -> String:
	return Marshalls.utf8_to_base64(text).replace("+", "-").replace("/", "_").replace("=", "")
