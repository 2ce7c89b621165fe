import * as z from "zod";

/** A running service, read page by page as an auditor may (`API.md`, `/compliance`). */

const apiVersion = "2026-11-01";
const page = z.object({ value: z.array(z.unknown()), nextLink: z.url().optional() });

/** Why nothing could be done: in words that say what to do. */
export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

export type Service = { readonly origin: string; readonly token: string };

/** A list, page after page. Throws `Unreadable` where the service cannot be read. */
export async function* readPages(service: Service, path: string): AsyncGenerator<readonly unknown[]> {
  const { origin } = service;
  let next: string | undefined = `${origin}${path}?api-version=${apiVersion}&top=1000`;
  while (next !== undefined) {
    const read: z.infer<typeof page> = parsed(page, await ask(next, service), origin);
    yield read.value;
    // The token is for this service alone.
    if (read.nextLink !== undefined && new URL(read.nextLink).origin !== origin) {
      throw new Unreadable(
        `The service at ${origin} sends its reader on to ${new URL(read.nextLink).origin}. Name that one with --origin.`,
      );
    }
    next = read.nextLink;
  }
}

/** Every item of a list, one by one. */
export async function* readItems<T>(service: Service, path: string, shape: z.ZodType<T>): AsyncGenerator<T> {
  for await (const items of readPages(service, path)) {
    for (const item of items) yield parsed(shape, item, service.origin);
  }
}

/** What a path says, once. */
export async function readOne<T>(service: Service, path: string, shape: z.ZodType<T>): Promise<T> {
  return parsed(shape, await ask(`${service.origin}${path}?api-version=${apiVersion}`, service), service.origin);
}

/** Asks for a change; throws `Unreadable` where the service does not make it. */
export async function post({ origin, token }: Service, path: string): Promise<void> {
  await ask(`${origin}${path}?api-version=${apiVersion}`, { origin, token }, "POST");
}

async function ask(url: string, { token }: Service, method = "GET"): Promise<unknown> {
  const { origin } = new URL(url);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method, headers }).catch((cause: unknown) => {
    throw new Unreadable(`No service answers at ${origin}. Start it (npm start), or name another with --origin.`, {
      cause,
    });
  });
  const said: unknown = await answer.json().catch(() => undefined);
  if (!answer.ok) throw new Unreadable(`${origin} answered ${answer.status}${reason(said)}`);
  return said;
}

function parsed<T>(shape: z.ZodType<T>, value: unknown, origin: string): T {
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  throw new Unreadable(`${origin} answered with something else than API.md says: ${z.prettifyError(read.error)}`);
}

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

function reason(body: unknown): string {
  const said = refusal.safeParse(body);
  return said.success ? ` ${said.data.error.code}: ${said.data.error.message}` : ".";
}
