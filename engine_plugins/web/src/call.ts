// One call over one WebSocket: binary frames out and in, its failure as a FacestreamError. See docs/websocket.md.

import { errorOf, FacestreamError } from "./errors.js";

const SERVICE = "facestream.v1.AnimationService";
const SUBPROTOCOL = "facestream.v1.binary";
const BUFFERED_BYTES = 64 * 1024;
const BUFFER_POLL_MS = 10;
const COMPLETE = 1000;
const ABNORMAL = 1006;

/** What is used of a WebSocket: the browser's own, that of Node 22, or that of the package `ws`. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocket;

/** Where a server is, and who calls. */
export interface Dialling {
  readonly url: string;
  readonly token: string | undefined;
  readonly webSocket: WebSocketClass;
}

export type Method = "Animate" | "AnimateClip" | "HearEmotion" | "ListModels";

export class Call {
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;
  readonly #unread: Uint8Array[] = [];
  #wake: () => void = () => {};
  #said: FacestreamError | undefined;
  #failure: FacestreamError | undefined;
  #hasEnded = false;
  #isCancelled = false;

  constructor(dialling: Dialling, method: Method) {
    const url = `${dialling.url.replace(/\/+$/, "").replace(/^http/, "ws")}/${SERVICE}/${method}`;
    const protocols = [SUBPROTOCOL];
    if (dialling.token !== undefined) protocols.push(`facestream.token.${base64url(dialling.token)}`);
    const socket = new dialling.webSocket(url, protocols);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let isOpen = false;
    this.#opened = new Promise((resolve, reject) => {
      socket.onopen = () => {
        isOpen = true;
        resolve();
      };
      const ended = (code: number, reason: string): void => {
        this.#end(this.#failureOf(code, reason, isOpen, dialling.url));
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
      socket.onclose = (event) => ended(event.code, event.reason);
      socket.onerror = () => {
        if (!isOpen) ended(ABNORMAL, ""); // Node's own tells no close behind it
      };
    });
    this.#opened.catch(() => {}); // whoever writes or reads is told
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => {
      if (typeof event.data === "string") this.#said = errorOf(event.data);
      else this.#unread.push(new Uint8Array(event.data));
      this.#wake();
    };
  }

  /** What has ended it, if it was not complete. Answers may still be unread. */
  get failure(): FacestreamError | undefined {
    return this.#failure;
  }

  /** Resolves once messages can be written. */
  async opened(): Promise<void> {
    await this.#opened;
  }

  /** Send; what is sent behind the end of the call is lost. */
  write(message: Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(message);
  }

  /** Say that nothing more will be sent. */
  halfClose(): void {
    this.write(new Uint8Array(0));
  }

  /** Resolves once the browser holds little that it has not sent: the server's back-pressure. */
  async room(): Promise<void> {
    while (!this.#hasEnded && this.#socket.bufferedAmount > BUFFERED_BYTES)
      await new Promise((resolve) => setTimeout(resolve, BUFFER_POLL_MS));
  }

  /** The next answer; `undefined` once the call has ended well or was cancelled here. Throws what else ended it. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#unread.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#hasEnded) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#unread.shift();
  }

  /** End the call now; the server frees its place. */
  cancel(): void {
    this.#isCancelled = true;
    this.#socket.close(COMPLETE);
    this.#end(undefined);
  }

  #end(failure: FacestreamError | undefined): void {
    if (!this.#hasEnded) this.#failure = failure;
    this.#hasEnded = true;
    this.#wake();
  }

  #failureOf(code: number, reason: string, wasOpen: boolean, url: string): FacestreamError | undefined {
    if (this.#isCancelled || code === COMPLETE) return undefined;
    if (this.#said !== undefined) return this.#said;
    if (code === 1009) return new FacestreamError("MESSAGE_TOO_BIG", `a message is too big: ${reason}`, "message");
    if (wasOpen) return new FacestreamError("UNAVAILABLE", `the connection to ${url} was lost (${code})`);
    const tls = /^(wss|https):/.test(url)
      ? "with TLS (else use ws://) and a certificate that is trusted here"
      : "without TLS (else use wss://)";
    const help = `is the server running there with --websocket-port, ${tls}, and may pages of this site use it?`;
    return new FacestreamError("UNAVAILABLE", `no connection to ${url}; ${help}`);
  }
}

function base64url(text: string): string {
  const binary = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
