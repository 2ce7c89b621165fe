import { z } from "zod";

/** The ledger of a running service, read page by page as an auditor may (`API.md`, `GET /compliance/events`). */

const apiVersion = "2026-11-01";
const page = z.object({ value: z.array(z.unknown()), nextLink: z.url().optional() });

/** Why nothing could be checked: in words that say what to do. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

/** Every event, in the order of the service's list. Throws `Unreadable` where the service cannot be read. */
export async function* readEvents(origin: string, token: string): AsyncGenerator<unknown> {
  let next: string | undefined = `${origin}/compliance/events?api-version=${apiVersion}&top=1000`;
  while (next !== undefined) {
    const { value, nextLink }: z.infer<typeof page> = await readPage(next, token);
    yield* value;
    // The token is for this service alone.
    if (nextLink !== undefined && new URL(nextLink).origin !== origin) {
      throw new Unreadable(
        `The service at ${origin} sends its reader on to ${new URL(nextLink).origin}. Name that one with --origin.`,
      );
    }
    next = nextLink;
  }
}

async function readPage(url: string, token: string): Promise<z.infer<typeof page>> {
  const { origin } = new URL(url);
  const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } }).catch((cause: unknown) => {
    throw new Unreadable(`No service answers at ${origin}. Start it (npm start), or name another with --origin.`, {
      cause,
    });
  });
  const body: unknown = await answer.json().catch(() => undefined);
  if (answer.status !== 200) throw new Unreadable(`${origin} answered ${answer.status}${reason(body)}`);
  const read = page.safeParse(body);
  if (!read.success) throw new Unreadable(`${origin} answered with something else than a page of events.`);
  return read.data;
}

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

function reason(body: unknown): string {
  const said = refusal.safeParse(body);
  return said.success ? ` ${said.data.error.code}: ${said.data.error.message}` : ".";
}
