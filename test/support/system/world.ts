import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type CaseActor, type CaseOptions, openCase } from "./cases.ts";
import { type Answer, type RawRequest, send } from "./http.ts";
import { type Environment, runScript, type Service, startService } from "./service.ts";
import { eventPage, type LedgerEvent, termsShape } from "./shapes.ts";
import { enroll, type StampActor, type StampOptions } from "./stamp.ts";
import { forgedToken } from "./tokens.ts";

/** A running service and everybody who speaks with it. One per test file; stamps and cases of each test are its own. */

export const apiVersion = "2026-11-01";

const anyPage = z.looseObject({ value: z.array(z.unknown()), nextLink: z.url().optional() });

/** App roles by the letters of `API.md`. */
export const roleNames = {
  R: "Registration.Manage",
  C: "Cases.Sync",
  E: "Support.Engineer",
  A: "Compliance.Audit",
} as const;
export type Role = keyof typeof roleNames;

export type CallOptions = {
  readonly headers?: Readonly<Record<string, string>>;
  /** Query parameters beside `api-version`. */
  readonly query?: Readonly<Record<string, string>>;
};
/** One request by one caller. `path` without query; `body` is sent as JSON, a string as it is. */
export type Call = (method: string, path: string, body?: unknown, options?: CallOptions) => Promise<Answer>;

/** Who brings a bearer token. */
export type Person = { readonly oid: string; readonly token: string; readonly call: Call };

export type World = {
  readonly service: Service;
  readonly origin: string;
  /** The time that the service goes by. */
  readonly now: () => Date;
  /** That time moved by some hours, as the contract writes times. */
  readonly on: (hoursFromNow?: number) => string;
  /** Sends a request as it is, without credential or `api-version`. */
  readonly send: (raw: RawRequest) => Promise<Answer>;
  /** A request without credential, with `api-version`. */
  readonly anonymous: Call;
  /** A person or system with these roles; one without `oid` is the same each time. */
  readonly person: (roles: Role | readonly Role[], oid?: string) => Promise<Person>;
  /** A new support engineer. */
  readonly engineer: () => Promise<Person>;
  readonly registeredStamp: (options?: StampOptions) => Promise<StampActor>;
  readonly openCase: (options?: CaseOptions) => Promise<CaseActor>;
  /** Version of the terms that are current. */
  readonly currentTerms: () => Promise<string>;
  /** Runs a timer to its end, through the host's admin endpoint. */
  readonly runTimer: (name: string) => Promise<void>;
  /** All ledger events of a partition, such as `stamps/{stampId}`; without one, of all. */
  readonly events: (partition?: string) => Promise<LedgerEvent[]>;
  readonly restart: (environment?: Environment) => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * Starts a service with `environment` and opens the world around it. Close it in `afterAll`.
 * `onAnswer` sees every answer of the service, and may fail on it.
 */
export async function openWorld(
  environment: Environment = {},
  { onAnswer }: { readonly onAnswer?: (raw: RawRequest, answer: Answer) => void } = {},
): Promise<World> {
  const service = await startService(environment);
  const people = new Map<string, Promise<{ oid: string; token: string }>>();
  let offsetDays = Number(environment.CLOCK_OFFSET_DAYS ?? 0);
  let terms: Promise<string> | undefined;

  const person = async (roles: Role | readonly Role[], oid?: string): Promise<Person> => {
    const named = [roles].flat();
    const name = `${named.join()} ${oid ?? ""}`;
    const issued = people.get(name) ?? issueToken(world, named, oid ?? randomUUID());
    people.set(name, issued);
    const { oid: ownOid, token } = await issued;
    return { oid: ownOid, token, call: callerWith(world, { authorization: `Bearer ${token}` }) };
  };

  const world: World = {
    service,
    get origin() {
      return service.origin;
    },
    now: () => new Date(Date.now() + offsetDays * 86_400_000),
    on: (hoursFromNow = 0) => new Date(world.now().getTime() + hoursFromNow * 3_600_000).toISOString(),
    send: async (raw) => {
      const answer = await send(service.origin, raw);
      // No answer may be a 500: why it was is in what the service printed, and gone with it.
      if (answer.status === 500) console.error(`${raw.method} ${raw.path}: 500\n${service.output().slice(-3000)}`);
      onAnswer?.(raw, answer);
      return answer;
    },
    get anonymous() {
      return callerWith(world, {});
    },
    person,
    engineer: () => person("E", randomUUID()),
    registeredStamp: (options) => enroll(world, options),
    openCase: (options) => openCase(world, options),
    currentTerms: () => (terms ??= readCurrentTerms(world)),
    runTimer: async (name) => {
      const answer = await world.send({
        method: "POST",
        path: `/admin/functions/${name}`,
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      if (answer.status !== 202) throw new Error(`${name} answered ${answer.status}: ${answer.text}`);
    },
    events: async (partition) => {
      const auditor = await person("A");
      const read = await readAll(auditor.call, "/compliance/events", partition === undefined ? {} : { partition });
      return eventPage.parse({ value: read }).value;
    },
    restart: async (next = environment) => {
      await service.restart(next);
      offsetDays = Number(next.CLOCK_OFFSET_DAYS ?? 0);
    },
    close: service.close,
  };
  return world;
}

/** The path with `api-version` and `query`. */
export const withVersion = (path: string, query: Readonly<Record<string, string>> = {}): string =>
  `${path}?${new URLSearchParams({ "api-version": apiVersion, ...query })}`;

/** `body` as it goes out: a string or bytes as they are, anything else as JSON. */
export function bodyOf(body: unknown): Pick<RawRequest, "body"> {
  if (body === undefined) return {};
  return { body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body) };
}

function callerWith(world: Pick<World, "send">, credential: Readonly<Record<string, string>>): Call {
  return (method, path, body, { headers = {}, query = {} } = {}) =>
    world.send({
      method,
      path: withVersion(path, query),
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...credential, ...headers },
      ...bodyOf(body),
    });
}

/** Every item of a list, over all its pages. */
export async function readAll(
  call: Call,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<unknown[]> {
  const items: unknown[] = [];
  let next: Readonly<Record<string, string>> | undefined = { top: "1000", ...query };
  while (next !== undefined) {
    const answer: Answer = await call("GET", path, undefined, { query: next });
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${answer.text}`);
    const page: { value: unknown[]; nextLink?: string | undefined } = anyPage.parse(answer.json);
    items.push(...page.value);
    next = page.nextLink === undefined ? undefined : queryOf(page.nextLink);
  }
  return items;
}

/** The query of an absolute link, `api-version` and all. */
export const queryOf = (link: string): Record<string, string> => Object.fromEntries(new URL(link).searchParams);

/** The first token comes from `npm run token`'s own command; all others are signed after its pattern, as a process each takes long. */
async function issueToken(world: World, roles: readonly Role[], oid: string): Promise<{ oid: string; token: string }> {
  if (roles.join() === "R") return { oid, token: await tokenByCommand(world.service.directory, roles, oid) };
  const named = roles.map((role) => roleNames[role]);
  return { oid, token: await forgedToken(world, { roles: named, oid, sub: oid, ...kindOf(roles) }) };
}

/** As Entra ID tells an application's token (R, C) from a person's (E, A). */
export const kindOf = ([role]: readonly Role[]): Readonly<Record<string, unknown>> =>
  role === "E" || role === "A" ? { scp: "access_as_user", idtyp: undefined } : { scp: undefined, idtyp: "app" };

/** What `npm run --silent token -- --role … --oid …` prints. */
export const tokenByCommand = (directory: string, roles: readonly string[], oid: string): Promise<string> =>
  runScript(directory, "local/token.ts", ...roles.flatMap((role) => ["--role", role]), "--oid", oid);

async function readCurrentTerms(world: World): Promise<string> {
  const answer = await world.send({ method: "GET", path: "/terms" });
  const current = termsShape.parse(answer.json).value.find((terms) => terms.current);
  if (current === undefined) throw new Error("No terms are current.");
  return current.version;
}
