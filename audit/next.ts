import { hash } from "node:crypto";
import type { Head } from "./chain.ts";
import { afterAll, afterExactly, afterObject, afterText, notPlain } from "./plain.ts";

/**
 * Tells at a glance the event that has to come next: its line is read past once, hashed once and compared with what has to stand there. Never
 * says what is wrong: for that, and for whatever is not plain, a line is read as JSON.
 */

const untilHash = [
  afterExactly('{"actor":{"id":'),
  afterText,
  afterExactly(',"kind":'),
  afterText,
  afterExactly('},"data":'),
  afterObject,
  afterExactly(',"hash":"'),
];
const fromHash = [afterExactly('","on":'), afterText];
const fromType = [afterText, afterExactly("}")];
const hashBytes = 64;
const hashMember = `"hash":"${"0".repeat(hashBytes)}",`.length;

/** Where the line is put together without its hash. What takes more is no event's: it is read as JSON. */
const room = Buffer.allocUnsafe(64 * 1024);

/**
 * The hash in the line, where the line is the RFC 8785 form of the event that follows `before`, with the hash that it must have; undefined where
 * that must be looked at closely.
 */
export type Glance = (line: Buffer, before: Head) => string | undefined;

export function glanceAt(partition: string): Glance {
  // Put into a line's text, a name that must be escaped could say more than a name.
  if (!/^[ !#-[\]-~]+$/.test(partition)) return () => undefined;
  return (line, { seq, hash: prevHash }) => {
    const at = afterAll(untilHash, line, 0);
    if (at === notPlain || line.length > room.length) return undefined;
    const place = afterAll(fromHash, line, at + hashBytes);
    if (place === notPlain) return undefined;
    const placed = `,"partition":"${partition}","prevHash":"${prevHash}","seq":${seq + 1},"type":`;
    const type = place + placed.length;
    if (line.toString("latin1", place, type) !== placed) return undefined;
    if (afterAll(fromType, line, type) !== line.length) return undefined;
    const computed = hashWithout(line, at - '"hash":"'.length, hashMember);
    return line.toString("latin1", at, at + hashBytes) === computed ? computed : undefined;
  };
}

/** Lower-case hex SHA-256 of the line without `length` bytes from `at` on. */
function hashWithout(line: Buffer, at: number, length: number): string {
  line.copy(room, 0, 0, at);
  line.copy(room, at, at + length);
  return hash("sha256", room.subarray(0, line.length - length), "hex");
}
