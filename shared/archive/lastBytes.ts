/** The last bytes of what comes by, in one buffer that is written round and round: chunks that were kept instead would grow old, and their memory with them. */
export class LastBytes {
  readonly #ring: Buffer;
  #length = 0;

  constructor(mostBytes: number) {
    this.#ring = Buffer.alloc(mostBytes);
  }

  /** Of all that came by. */
  get lengthBytes(): number {
    return this.#length;
  }

  add(chunk: Buffer): void {
    const size = this.#ring.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - size));
    this.#length += chunk.length;
    const at = size === 0 ? 0 : (this.#length - kept.length) % size;
    const copied = kept.copy(this.#ring, at);
    kept.copy(this.#ring, 0, copied);
  }

  /** In their order; all of them where no more came than are kept. */
  bytes(): Buffer {
    const size = this.#ring.length;
    if (this.#length <= size) return this.#ring.subarray(0, this.#length);
    const at = this.#length % size;
    return Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]);
  }
}
