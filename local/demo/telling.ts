import { isDeepStrictEqual, styleText } from "node:util";

/** The demo's voice: numbered chapters, lines that tell, and claims that are checked while they are told. */

/** A claim that turned out not to be so. */
export class NotSo extends Error {
  readonly expected: unknown;
  readonly seen: unknown;

  constructor(claim: string, expected: unknown, seen: unknown) {
    super(claim);
    this.name = "NotSo";
    this.expected = expected;
    this.seen = seen;
  }
}

export type Teller = ReturnType<typeof teller>;

export function teller(write: (text: string) => void = (text) => process.stdout.write(text)) {
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    styleText(format, text, { stream: process.stdout });
  let chapters = 0;
  let claims = 0;

  function hold(claim: string): void {
    claims += 1;
    write(`    ${style("green", "✓")} ${claim}\n`);
  }

  return {
    title: (text: string) => write(`\n${style("bold", text)}\n`),
    chapter: (text: string) => {
      chapters += 1;
      write(`\n${style("bold", `${String(chapters).padStart(2)}  ${text}`)}\n`);
    },
    tell: (text: string) => write(`    ${text}\n`),
    aside: (text: string) => write(`    ${style("dim", text)}\n`),
    /** Says the claim once it has been found to be so. Throws `NotSo` otherwise. */
    claim: (claim: string, seen: unknown, expected: unknown = true) => {
      if (!isDeepStrictEqual(seen, expected)) throw new NotSo(claim, expected, seen);
      hold(claim);
    },
    failed: ({ message, expected, seen }: NotSo) => {
      write(`\n${style(["bold", "red"], `This is not so: ${message}`)}\n`);
      write(`    expected  ${JSON.stringify(expected)}\n    seen      ${JSON.stringify(seen)}\n`);
    },
    claims: () => claims,
  };
}
