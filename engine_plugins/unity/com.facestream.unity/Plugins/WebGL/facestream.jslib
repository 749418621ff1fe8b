// WebSockets for WebGLTransport.cs, which asks and is never called.
mergeInto(LibraryManager.library, {
  $FacestreamSockets: { open: [], longestUnsent: 512 * 1024 },

  // Number of a new socket. Pages can not set headers: the token goes as a subprotocol, in base64url without padding.
  FacestreamOpen: function (address, protocol, token) {
    const protocols = [UTF8ToString(protocol)];
    const secret = UTF8ToString(token);
    if (secret) {
      const bytes = String.fromCharCode(...new TextEncoder().encode(secret));
      const encoded = btoa(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
      protocols.push("facestream.token." + encoded);
    }
    const entry = { unsent: [], messages: [], closed: 0, words: "" };
    entry.socket = new WebSocket(UTF8ToString(address), protocols);
    entry.socket.binaryType = "arraybuffer";
    entry.socket.onopen = () => entry.unsent.splice(0).forEach((message) => entry.socket.send(message));
    entry.socket.onmessage = (event) => {
      if (typeof event.data === "string") entry.words = event.data;
      else entry.messages.push(new Uint8Array(event.data));
    };
    entry.socket.onclose = (event) => { entry.closed = event.code || 1006; };
    return FacestreamSockets.open.push(entry) - 1;
  },
  FacestreamOpen__deps: ["$FacestreamSockets"],

  // 0 where the network takes no more for now.
  FacestreamSend: function (socket, message, length) {
    const entry = FacestreamSockets.open[socket];
    const bytes = HEAPU8.slice(message, message + length);
    if (entry.socket.readyState === WebSocket.CONNECTING) entry.unsent.push(bytes);
    else if (entry.socket.bufferedAmount > FacestreamSockets.longestUnsent) return 0;
    else if (entry.socket.readyState === WebSocket.OPEN) entry.socket.send(bytes);
    return 1;
  },
  FacestreamSend__deps: ["$FacestreamSockets"],

  // Length of the next message; -1 where there is none.
  FacestreamWaiting: function (socket) {
    const next = FacestreamSockets.open[socket].messages[0];
    return next ? next.length : -1;
  },
  FacestreamWaiting__deps: ["$FacestreamSockets"],

  FacestreamTake: function (socket, buffer) {
    HEAPU8.set(FacestreamSockets.open[socket].messages.shift(), buffer);
  },
  FacestreamTake__deps: ["$FacestreamSockets"],

  // Its close code once it has closed and everything was taken, else 0.
  FacestreamClosed: function (socket) {
    const entry = FacestreamSockets.open[socket];
    return entry.messages.length ? 0 : entry.closed;
  },
  FacestreamClosed__deps: ["$FacestreamSockets"],

  // The status in JSON that a call which failed ends with.
  FacestreamLastWords: function (socket) {
    const words = FacestreamSockets.open[socket].words;
    const size = lengthBytesUTF8(words) + 1;
    const text = _malloc(size);
    stringToUTF8(words, text, size);
    return text;
  },
  FacestreamLastWords__deps: ["$FacestreamSockets"],

  FacestreamClose: function (socket) {
    const entry = FacestreamSockets.open[socket];
    entry.messages = [];
    entry.socket.close();
  },
  FacestreamClose__deps: ["$FacestreamSockets"],
});
