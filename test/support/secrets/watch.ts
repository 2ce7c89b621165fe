import { secretsIn } from "./patterns.ts";

/** Lines with a secret, of whoever runs in or under this test file. */
const found: string[] = [];

/** Looks at what a source has said: whole lines, or a piece of its output. */
export function watch(source: string, text: string): void {
  for (const line of text.split("\n")) {
    const secrets = secretsIn(line);
    // The line itself is what must not be printed again.
    if (secrets.length > 0) found.push(`${source}: ${secrets.join(", ")} in a line that begins ${line.slice(0, 60)}`);
  }
}

/** What was found since it was asked last. */
export const takeFound = (): string[] => found.splice(0);
