import { readFile, stat, writeFile } from "node:fs/promises";
import { Agent, createServer, type RequestListener, request, type Server } from "node:http";
import { join } from "node:path";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { afterEach, describe, expect, inject, test } from "vitest";
import { z } from "zod";
import { isAlive } from "../../../local/processes.ts";
import { startHost } from "../../../local/service.ts";
import { localRunIn } from "../../../shared/localRun.ts";
import {
  azuritePid,
  beginService,
  cleanUp,
  makeDirectory,
  type RunningService,
  run,
  startService,
} from "../../support/host-app/process.ts";
import { fixtureEntry, runsOf } from "../../support/host-app/start.ts";
import { until } from "../../support/until.ts";

/** `npm start` itself: what it says, how it ends, and what it refuses. Storage is the run's own, except where it matters. */

const AzureWebJobsStorage = inject("storageConnectionString");
const others: Server[] = [];
afterEach(async () => {
  await cleanUp();
  for (const server of others.splice(0)) server.close();
});

const setting = async ({ origin }: { origin: string }, name: string): Promise<string> =>
  String(await (await fetch(`${origin}/settings/${name}`)).json());
const localRunOf = async ({ origin }: { origin: string }) =>
  localRunIn((await runsOf(origin)).find(({ functionName }) => functionName === "appStart")?.input);
const refused = (origin: string) =>
  fetch(origin).then(
    () => false,
    () => true,
  );

async function listenElsewhere(
  answer: RequestListener = (_, response) => void response.end("somebody else"),
): Promise<number> {
  const server = createServer(answer);
  others.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A request that is under way in the service until it is let go. */
async function holdRequest({ origin, directory }: RunningService) {
  const answer = fetch(`${origin}/held/let-go`);
  await until("a request to be under way", async () =>
    (await (await fetch(`${origin}/runs`)).text()).includes("let-go"),
  );
  return { answer, letGo: () => writeFile(join(directory, "let-go"), "") };
}

/** Resolves once somebody has asked the holder of the folder's lock whether it lives. */
async function whenAsked(directory: string): Promise<{ readonly asked: Promise<void> }> {
  const lock = join(directory, "service.pid");
  const holder = z.looseObject({ url: z.url() }).parse(JSON.parse(await readFile(lock, "utf8")));
  const asked = Promise.withResolvers<void>();
  const port = await listenElsewhere((_, response) => {
    fetch(holder.url)
      .then((answer) => answer.text())
      .then((text) => response.end(text))
      .catch(() => response.destroy())
      .finally(asked.resolve);
  });
  await writeFile(lock, JSON.stringify({ ...holder, url: `http://127.0.0.1:${port}` }));
  return { asked: asked.promise };
}

describe("a start", () => {
  test("says where the service is, where its keys are and what to try next, and nothing else on stdout", async () => {
    const service = await startService(await makeDirectory(), { AzureWebJobsStorage });
    expect(service.stdout().trim().split("\n")).toEqual([
      `Stamp Intake is ready at ${service.origin}`,
      expect.stringContaining("npm run --silent token"),
      expect.stringMatching(/npm run demo.*npm run stamp -- register/),
    ]);
    expect(await service.stop()).toBe(0);
  });

  test("tells the functions who they are, and tools where the service is", async () => {
    const service = await startService(await makeDirectory(), { AzureWebJobsStorage });
    expect(await setting(service, "PUBLIC_ORIGIN")).toBe(service.origin);
    expect(await setting(service, "RATE_LIMITS")).toBe("off");
    expect(await setting(service, "StateStorage")).toBe(AzureWebJobsStorage);
    const file = join(service.directory, "service.json");
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
      origin: service.origin,
      pid: service.pid,
      storage: {
        blob: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/devstoreaccount1\/?$/),
        queue: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/devstoreaccount1\/?$/),
        table: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/devstoreaccount1\/?$/),
      },
    });
    await service.stop();
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });

  test("hands over in code what no environment may say: a moved clock, its own key file, its own issuer", async () => {
    const service = await startService(await makeDirectory(), { AzureWebJobsStorage, CLOCK_OFFSET_DAYS: "86" });
    expect(await localRunOf(service)).toEqual({
      clockOffsetDays: 86,
      settings: {
        SIGNING_KEY_FILE: join(service.directory, "signing-keys.json"),
        TOKEN_JWKS_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/keys$/),
      },
    });
    for (const name of ["STAMP_INTAKE_LOCAL", "SIGNING_KEY_FILE", "TOKEN_JWKS_URL"])
      expect(await (await fetch(`${service.origin}/settings/${name}`)).text(), name).toBe("");
  });

  test("leaves the settings that were given as they are", async () => {
    const given = { PUBLIC_ORIGIN: "https://intake.example.com", RATE_LIMITS: "on", CLOCK_OFFSET_DAYS: "86" };
    const service = await startService(await makeDirectory(), { AzureWebJobsStorage, ...given });
    for (const [name, value] of Object.entries(given)) expect(await setting(service, name)).toBe(value);
  });

  test("starts no storage of its own where AzureWebJobsStorage names another", async () => {
    const service = await startService(await makeDirectory(), { AzureWebJobsStorage });
    expect(await azuritePid(service.directory)).toBeUndefined();
  });

  test("can be had in this process too", async () => {
    const service = await startHost({
      LOCAL_DIR: await makeDirectory(),
      PORT: "0",
      STAMP_INTAKE_ARTIFACT: fixtureEntry,
      HOST_TEST_QUEUE: "messages",
      AzureWebJobsStorage,
    });
    expect((await fetch(`${service.origin}/teapot`)).status).toBe(418);
    await service.stop();
    expect(await refused(service.origin)).toBe(true);
  });
});

describe("a start that cannot be is one line on stderr, exit code 1, and leaves nothing behind", () => {
  async function lineOfRefusal(environment: Record<string, string>, directory?: string): Promise<string> {
    const service = beginService(directory ?? (await makeDirectory()), environment);
    expect(await service.exitCode()).toBe(1);
    expect(service.stdout()).toBe("");
    expect(service.stderr().trimEnd().split("\n")).toHaveLength(1);
    expect(await azuritePid(service.directory)).toBeUndefined();
    return service.stderr();
  }

  test("a port in use", async () => {
    const port = await listenElsewhere();
    expect(await lineOfRefusal({ PORT: String(port) })).toContain(`PORT: ${port} is in use`);
  });

  test.each([
    ["PORT", "seventy", "PORT: must be a whole number"],
    ["PORT", "65536", "PORT: must be a whole number"],
    ["PURGE_AFTER_DAYS", "83", "PURGE_AFTER_DAYS"],
    ["BUNDLE_ACCOUNTS", "not json", "BUNDLE_ACCOUNTS: must be JSON"],
    ["STAMP_INTAKE_ARTIFACT", "nowhere/main.cjs", "there is no file"],
  ])("%s=%s", async (name, value, message) => {
    expect(await lineOfRefusal({ [name]: value })).toContain(message);
  });

  test("a folder that is a file, or below one", async () => {
    const file = join(await makeDirectory(), "file");
    await writeFile(file, "");
    expect(await lineOfRefusal({}, file)).toContain("LOCAL_DIR:");
    expect(await lineOfRefusal({}, join(file, "below"))).toContain("LOCAL_DIR:");
  });

  test("storage that is no connection string", async () => {
    expect(await lineOfRefusal({ AzureWebJobsStorage: "elsewhere" })).toContain("AzureWebJobsStorage:");
  });

  test("a folder that another service holds; that one goes on", async () => {
    const first = await startService(await makeDirectory(), { AzureWebJobsStorage });
    const line = await lineOfRefusal({ AzureWebJobsStorage }, first.directory);
    expect(line).toContain(`is in use by the service with process id ${first.pid}`);
    expect((await fetch(`${first.origin}/teapot`)).status).toBe(418);
    expect(JSON.parse(await readFile(join(first.directory, "service.json"), "utf8"))).toMatchObject({ pid: first.pid });
  });
});

test("a lock whose process has another's id by now is taken over", async () => {
  const directory = await makeDirectory();
  const url = `http://127.0.0.1:${await listenElsewhere()}/instance`;
  await writeFile(join(directory, "service.pid"), JSON.stringify({ pid: process.pid, instance: "gone", url }));
  const service = await startService(directory, { AzureWebJobsStorage });
  expect(await service.stop()).toBe(0);
});

test("a second service with another folder and port runs beside the first", async () => {
  const [first, second] = await Promise.all([
    startService(await makeDirectory(), { AzureWebJobsStorage }),
    startService(await makeDirectory(), { AzureWebJobsStorage }),
  ]);
  expect(first.origin).not.toBe(second.origin);
  expect(await first.stop()).toBe(0);
  expect((await fetch(`${second.origin}/teapot`)).status).toBe(418);
});

describe("SIGTERM", () => {
  test("closes the port at once and lets a request under way end, then exits 0", async () => {
    const service = await startService(await makeDirectory(), { AzureWebJobsStorage });
    const { answer, letGo } = await holdRequest(service);
    service.child.kill("SIGTERM");
    await until("the port to be closed", () => refused(service.origin));
    expect(service.child.exitCode).toBeNull();
    expect(service.stderr()).not.toContain("appTerminate has run");
    await letGo();
    expect(await (await answer).text()).toBe("in its own time");
    expect(await service.exitCode()).toBe(0);
    expect(service.stderr()).toContain("appTerminate has run");
  });

  test("lets the next start with the same folder wait for the end", async () => {
    const first = await startService(await makeDirectory(), { AzureWebJobsStorage });
    const { answer, letGo } = await holdRequest(first);
    first.child.kill("SIGTERM");
    await until("the port to be closed", () => refused(first.origin));
    const { asked } = await whenAsked(first.directory);
    const starting = startService(first.directory, { AzureWebJobsStorage });
    await asked;
    await letGo();
    const second = await starting;
    expect(first.child.exitCode).toBe(0);
    expect((await answer).status).toBe(200);
    expect((await fetch(`${second.origin}/teapot`)).status).toBe(418);
  });

  test("to npm's shell alone ends the service as well", async () => {
    const environment = { AzureWebJobsStorage, npm_lifecycle_event: "start" };
    const service = await startService(await makeDirectory(), environment, { shell: true });
    const { pid } = z
      .object({ pid: z.int() })
      .parse(JSON.parse(await readFile(join(service.directory, "service.json"), "utf8")));
    expect(pid).not.toBe(service.pid);
    service.child.kill("SIGTERM");
    await until("the service to be gone", () => !isAlive(pid));
    await expect(stat(join(service.directory, "service.pid"))).rejects.toThrow("ENOENT");
  });

  test("is not held up by a connection that is merely kept alive", async () => {
    const service = await startService(await makeDirectory(), { AzureWebJobsStorage });
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      request(`${service.origin}/teapot`, { agent }, (answer) => answer.resume().on("end", resolve))
        .on("error", reject)
        .end();
    });
    expect(await service.stop()).toBe(0);
    expect(service.stderr()).not.toContain("Still running after");
    agent.destroy();
  });

  test("may come twice, as from a terminal and from npm", async () => {
    const service = await startService(await makeDirectory(), { AzureWebJobsStorage });
    service.child.kill("SIGINT");
    service.child.kill("SIGTERM");
    expect(await service.exitCode()).toBe(0);
  });
});

describe("a rejection that nobody handles", () => {
  test("fails what is under way with 500 and the service goes on; the fourth ends it", async () => {
    const service: RunningService = await startService(await makeDirectory(), { AzureWebJobsStorage });
    const hanging = fetch(`${service.origin}/hangs/never`);
    await until("it to hang", async () => (await (await fetch(`${service.origin}/runs`)).text()).includes('"Hangs"'));
    for (let replaced = 1; replaced <= 3; replaced += 1) {
      const answer = await fetch(`${service.origin}/rejects`);
      expect([answer.status, await answer.text()]).toEqual([500, ""]);
      expect((await fetch(`${service.origin}/teapot`)).status).toBe(418);
    }
    expect((await hanging).status).toBe(500);
    expect((await fetch(`${service.origin}/rejects`)).status).toBe(500);
    expect(await service.exitCode()).toBe(1);
  });
});

describe("npm run token", () => {
  const token = async (directory: string, ...args: string[]) => {
    const printed = run("token.ts", { LOCAL_DIR: directory }, args);
    return { code: await printed.exitCode(), out: printed.stdout(), err: printed.stderr() };
  };

  test("prints one token that the service of the same folder accepts, made before it ran or while it runs", async () => {
    const directory = await makeDirectory();
    const oid = "6F9619FF-8B86-4D01-B42D-00CF4FC964FF";
    const before = await token(directory, "--role", "E", "--oid", oid);
    const service = await startService(directory, { AzureWebJobsStorage });
    const during = await token(directory, "--role", "Support.Engineer", "--oid", oid);
    const { TOKEN_JWKS_URL = "" } = (await localRunOf(service))?.settings ?? {};
    const keys = createRemoteJWKSet(new URL(TOKEN_JWKS_URL));
    for (const { code, out, err } of [before, during]) {
      expect([code, err]).toEqual([0, ""]);
      expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
      const { payload } = await jwtVerify(out.trim(), keys, {
        issuer: await setting(service, "TOKEN_ISSUER"),
        audience: await setting(service, "TOKEN_AUDIENCE"),
      });
      expect(payload).toMatchObject({
        tid: await setting(service, "TOKEN_TENANT_ID"),
        oid: oid.toLowerCase(),
        sub: oid.toLowerCase(),
        roles: ["Support.Engineer"],
        ver: "2.0",
        nbf: expect.any(Number),
      });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
    }
  });

  test("makes up an object id where none is given, and says it on stderr", async () => {
    const { out, err } = await token(await makeDirectory(), "--role", "a");
    const [oid] = err.match(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/) ?? [];
    expect(JSON.parse(Buffer.from(out.split(".")[1] ?? "", "base64url").toString())).toMatchObject({
      oid,
      roles: ["Compliance.Audit"],
    });
  });

  test.each([[[]], [["--role", "X"]], [["--role", "E", "--oid", "me"]], [["--rôle", "E"]]])(
    "%j prints its usage and no token",
    async (args) => {
      const { code, out, err } = await token(await makeDirectory(), ...args);
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain("usage: npm run --silent token -- --role <role>");
    },
  );
});
