// Protobuf's wire format, as much of it as facestream.v1 uses. https://protobuf.dev/programming-guides/encoding/

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;
const FIXED_64 = 1;

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder();

/** Writes the fields of one message, in any order. What is `undefined` is left out. */
export class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** What was written; a view that is valid until more is. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** uint32, int64 or an enum: whole numbers from -2^53 to 2^53, or a bigint of 64 bits. */
  integer(field: number, value: number | bigint | undefined): this {
    if (value === undefined) return this;
    this.#tag(field, VARINT);
    if (typeof value === "number" && value >= 0 && Number.isSafeInteger(value)) this.#varint(value);
    else this.#longVarint(BigInt.asUintN(64, BigInt(value)));
    return this;
  }

  boolean(field: number, value: boolean | undefined): this {
    return this.integer(field, value === undefined ? undefined : Number(value));
  }

  float(field: number, value: number | undefined): this {
    if (value === undefined) return this;
    this.#tag(field, FIXED_32);
    this.#room(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  floats(field: number, values: ArrayLike<number> | undefined): this {
    if (values === undefined || values.length === 0) return this;
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(4 * values.length);
    this.#room(4 * values.length);
    const view = new DataView(this.#bytes.buffer, this.#length);
    for (let index = 0; index < values.length; index++) view.setFloat32(4 * index, values[index]!, true);
    this.#length += 4 * values.length;
    return this;
  }

  text(field: number, value: string | undefined): this {
    return value === undefined ? this : this.bytes(field, utf8Encoder.encode(value));
  }

  bytes(field: number, value: Uint8Array | undefined): this {
    if (value === undefined) return this;
    this.#tag(field, LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** A message within; `undefined` leaves it out, an empty writer makes an empty one. */
  message(field: number, value: Writer | undefined): this {
    return this.bytes(field, value?.finish());
  }

  #tag(field: number, kind: number): void {
    this.#varint(field * 8 + kind);
  }

  #varint(value: number): void {
    this.#room(10);
    while (value > 127) {
      this.#bytes[this.#length++] = (value % 128) + 128;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }

  #longVarint(value: bigint): void {
    this.#room(10);
    while (value > 127n) {
      this.#bytes[this.#length++] = Number(value & 127n) + 128;
      value >>= 7n;
    }
    this.#bytes[this.#length++] = Number(value);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** One field of a message. Which of the getters has a meaning is for the message to say. */
export class Field {
  constructor(
    readonly number: number,
    private readonly varint: bigint,
    /** Content of text, bytes, packed numbers and messages within. */
    readonly bytes: Uint8Array,
  ) {}

  get integer(): number {
    return Number(BigInt.asIntN(64, this.varint));
  }

  get unsigned64(): bigint {
    return this.varint;
  }

  get boolean(): boolean {
    return this.varint !== 0n;
  }

  get text(): string {
    return utf8Decoder.decode(this.bytes);
  }

  get float(): number {
    return new DataView(this.bytes.buffer, this.bytes.byteOffset).getFloat32(0, true);
  }

  get floats(): Float32Array {
    const values = new Float32Array(this.bytes.length >> 2);
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset);
    for (let index = 0; index < values.length; index++) values[index] = view.getFloat32(4 * index, true);
    return values;
  }
}

const NOTHING = new Uint8Array(0);

/** The fields of a message in their order. Throws `RangeError` for bytes that are none. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  let place = 0;
  const take = (count: number): Uint8Array => {
    if (place + count > message.length) throw new RangeError("a message that is cut short");
    place += count;
    return message.subarray(place - count, place);
  };
  const varint = (): bigint => {
    let low = 0; // seven bytes fit a number, and hardly anything is longer
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = take(1)[0]!;
      low += (byte & 127) * 2 ** shift;
      if (byte < 128) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = take(1)[0]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new RangeError("a number of more than 64 bits");
  };
  while (place < message.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        yield new Field(number, varint(), NOTHING);
        break;
      case LENGTH_DELIMITED:
        yield new Field(number, 0n, take(Number(varint())));
        break;
      case FIXED_32:
        yield new Field(number, 0n, take(4));
        break;
      case FIXED_64:
        yield new Field(number, 0n, take(8));
        break;
      default:
        throw new RangeError(`a field of kind ${tag % 8}`);
    }
  }
}
