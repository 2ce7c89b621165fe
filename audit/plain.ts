/**
 * Reads past RFC 8785 forms, byte by byte, where they are plain: texts of printable ASCII without escapes, whole numbers, true, false, lists of texts,
 * and objects of these with their names in order. Each function takes where something begins and gives where it ends, or `notPlain`. What is plain is
 * canonical; what is not may be so too, and is for others to tell.
 */

export const notPlain = -1;

const code = (character: string): number => character.charCodeAt(0);
const [quote, backslash, comma, colon] = [code('"'), code("\\"), code(","), code(":")];
const [openBrace, closeBrace, openBracket, closeBracket] = [code("{"), code("}"), code("["), code("]")];
const [zero, nine, space, tilde] = [code("0"), code("9"), code(" "), code("~")];

/** All of 15 digits are safe integers, which have one form. */
const mostDigits = 15;

export function afterText(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== quote) return notPlain;
  for (let end = at + 1; ; end += 1) {
    const byte = bytes[end] ?? 0;
    if (byte === quote) return end + 1;
    if (byte < space || byte > tilde || byte === backslash) return notPlain;
  }
}

export function afterObject(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== openBrace) return notPlain;
  if (bytes[at + 1] === closeBrace) return at + 2;
  let before = notPlain;
  for (let name = at + 1; ; ) {
    const end = afterText(bytes, name);
    if (end === notPlain || bytes[end] !== colon) return notPlain;
    if (before !== notPlain && !isInOrder(bytes, before, name)) return notPlain;
    const next = afterValue(bytes, end + 1);
    if (next === notPlain) return notPlain;
    if (bytes[next] === closeBrace) return next + 1;
    if (bytes[next] !== comma) return notPlain;
    before = name;
    name = next + 1;
  }
}

/** Whether the text at `one` comes before that at `other`; both are plain, so that their bytes are their UTF-16 code units. */
function isInOrder(bytes: Uint8Array, one: number, other: number): boolean {
  for (let index = 1; ; index += 1) {
    const [a, b] = [bytes[one + index] ?? 0, bytes[other + index] ?? 0];
    if (b === quote) return false;
    if (a === quote) return true;
    if (a !== b) return a < b;
  }
}

function afterValue(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] ?? 0;
  if (byte === quote) return afterText(bytes, at);
  if (byte >= zero && byte <= nine) return afterNumber(bytes, at);
  if (byte === openBracket) return afterTexts(bytes, at);
  return afterWord(bytes, at);
}

function afterNumber(bytes: Uint8Array, at: number): number {
  let end = at;
  for (let byte = bytes[end] ?? 0; byte >= zero && byte <= nine; byte = bytes[end] ?? 0) end += 1;
  const isPlain = end - at <= mostDigits && (bytes[at] !== zero || end === at + 1);
  return isPlain ? end : notPlain;
}

function afterTexts(bytes: Uint8Array, at: number): number {
  if (bytes[at + 1] === closeBracket) return at + 2;
  for (let text = at + 1; ; ) {
    const end = afterText(bytes, text);
    if (end === notPlain) return notPlain;
    if (bytes[end] === closeBracket) return end + 1;
    if (bytes[end] !== comma) return notPlain;
    text = end + 1;
  }
}

const [afterTrue, afterFalse] = [afterExactly("true"), afterExactly("false")];

function afterWord(bytes: Uint8Array, at: number): number {
  const end = afterTrue(bytes, at);
  return end === notPlain ? afterFalse(bytes, at) : end;
}

export type Step = (bytes: Uint8Array, at: number) => number;

/** Past this text and no other. */
export function afterExactly(text: string): Step {
  const expected = Buffer.from(text);
  return (bytes, at) => {
    for (let index = 0; index < expected.length; index += 1) if (bytes[at + index] !== expected[index]) return notPlain;
    return at + expected.length;
  };
}

/** Past one after the other. */
export function afterAll(steps: readonly Step[], bytes: Uint8Array, at: number): number {
  let end = at;
  for (const step of steps) {
    end = step(bytes, end);
    if (end === notPlain) return notPlain;
  }
  return end;
}
