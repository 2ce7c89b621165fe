import { createHash, randomUUID } from "node:crypto";
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { buffer } from "node:stream/consumers";
import { BlobSASPermissions, BlobServiceClient, type BlockBlobClient, type ContainerClient } from "@azure/storage-blob";
import { z } from "zod";
import { bundleRequest } from "../../../shared/api/bundles.ts";
import { registration, type stamp } from "../../../shared/api/stamps.ts";

/**
 * Just enough of the service to provoke what the real one does seldom: 503s, lost answers, dropped lines, URLs that end.
 * The bytes go through it to real Azurite storage, so that blocks, digests and lists are storage's own affair.
 */

/** What happens to a request: nothing of it is done, or all of it and only the answer is lost. */
export type Fault = {
  /** Matched against `METHOD path?query`. */
  readonly on: RegExp;
  /** How many of those it happens to. */
  times: number;
  readonly what:
    | { readonly status: number; readonly headers?: Record<string, string>; readonly code?: string }
    | "drop"
    | "loseAnswer"
    | "corruptBody";
};

type FakeBundle = {
  body: z.infer<typeof bundleRequest>;
  state: string;
  container: ContainerClient;
  submission?: { sha256: string };
};

export type SeenRequest = {
  readonly what: string;
  readonly nonce: string | undefined;
  readonly headers: IncomingMessage["headers"];
};

/** A name by which it is reached, and the certificate for that where it speaks TLS. */
export type FakeIntakeOptions = {
  readonly host?: string;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer };
};

export async function startFakeIntake(connectionString: string, { host = "127.0.0.1", tls }: FakeIntakeOptions = {}) {
  const storage = BlobServiceClient.fromConnectionString(connectionString);
  const bundles = new Map<string, FakeBundle>();
  const faults: Fault[] = [];
  const seen: SeenRequest[] = [];
  /**
   * `urlLivesMs`: how long the next URLs live, an hour where none is said; `deadUrls`: how many name a place where nobody listens;
   * `blocksTogether`: blocks wait until so many are there at once; `spoilsSubmitted`: what is submitted has other bytes from then on.
   */
  const settings = {
    urlLivesMs: [] as number[],
    deadUrls: 0,
    blockSizeBytes: 64 * 1024,
    blocksTogether: 1,
    spoilsSubmitted: false,
    storageDelayMs: 0,
  };
  const waiting: (() => void)[] = [];
  let storingNow = 0;
  let mostStoringAtOnce = 0;
  let origin = "";

  const blobOf = ({ container }: FakeBundle): BlockBlobClient => container.getBlockBlobClient("bundle");

  async function answerOf(bundleId: string, bundle: FakeBundle) {
    const now = new Date().toISOString();
    const listed = await blobOf(bundle)
      .getBlockList("uncommitted")
      .catch(() => undefined);
    return {
      ...bundle.body,
      stampId: randomUUID(),
      bundleId,
      state: bundle.state,
      createdOn: now,
      deleteBy: now,
      purgeOn: now,
      links: [],
      consentDecision: {
        decisionId: randomUUID(),
        basis: "operator",
        decidedOn: now,
        termsVersion: "1",
        purposes: ["troubleshooting"],
      },
      ...(bundle.state === "rejected"
        ? { rejection: { code: "DigestMismatch", message: "The bytes are not what was signed." } }
        : {}),
      ...(bundle.state !== "created"
        ? {}
        : {
            upload: await uploadOf(bundle),
            stagedBlocks: listed?.uncommittedBlocks?.map(({ name, size }) => ({ id: name, sizeBytes: size })) ?? [],
          }),
      aFieldOfALaterVersion: true,
    };
  }

  async function uploadOf(bundle: FakeBundle) {
    const expiresOn = new Date(Date.now() + (settings.urlLivesMs.shift() ?? 3_600_000));
    const signed = await blobOf(bundle).generateSasUrl({ permissions: BlobSASPermissions.parse("cw"), expiresOn });
    const { pathname, search } = new URL(signed);
    const requiredHeaders = {
      "x-ms-version": "2025-01-05",
      "x-ms-blob-type": "BlockBlob",
      "x-ms-blob-content-type": "application/zip",
    };
    return {
      url: (settings.deadUrls-- > 0 ? "http://127.0.0.1:9" : origin) + pathname + search,
      expiresOn: expiresOn.toISOString(),
      blockSizeBytes: settings.blockSizeBytes,
      requiredHeaders,
    };
  }

  async function serve(method: string, path: string, body: Buffer): Promise<{ status: number; value: unknown }> {
    if (path === "/terms")
      return { status: 200, value: { value: [{ version: "1", sha256: "0".repeat(64), current: true }] } };
    if (/^\/stamps\/[^/]+$/.test(path)) return { status: 201, value: stampAnswer(path, JSON.parse(body.toString())) };
    if (/^\/stamps\/[^/]+\/(bundles|accesses)$/.test(path))
      return { status: 200, value: { value: await history(path) } };
    const [, bundleId = "", action = ""] = /^\/stamps\/[^/]+\/bundles\/([0-9a-f-]+)(.*)$/.exec(path) ?? [];
    if (method === "PUT" && !bundles.has(bundleId)) {
      const container = storage.getContainerClient(`client-${randomUUID()}`);
      await container.create();
      bundles.set(bundleId, { body: bundleRequest.parse(JSON.parse(body.toString())), state: "created", container });
      return { status: 201, value: await answerOf(bundleId, bundles.get(bundleId) ?? never()) };
    }
    const bundle = bundles.get(bundleId);
    if (bundle === undefined) return refusal(404, "NotFound");
    if (action === ":cancel") bundle.state = "canceled";
    if (action === ":submit") {
      if (!(await blobOf(bundle).exists())) return refusal(409, "NothingUploaded");
      bundle.submission = z.object({ sha256: z.string() }).parse(JSON.parse(body.toString()));
      bundle.state = "submitted";
      if (settings.spoilsSubmitted) await overwrite(bundle);
    }
    if (action === ":renewUpload" && bundle.state !== "created") return refusal(409, "InvalidState");
    if (action === "/verification") return { status: 200, value: await verified(bundleId, bundle) };
    return { status: action === ":submit" ? 202 : 200, value: await answerOf(bundleId, bundle) };
  }

  const overwrite = (bundle: FakeBundle) => blobOf(bundle).upload("other bytes", 11);

  /** Waits for others, and lets them go with itself where it is the last of them. */
  async function gathered(): Promise<void> {
    if (waiting.length + 1 < settings.blocksTogether) return new Promise((go) => waiting.push(go));
    for (const go of waiting.splice(0)) go();
  }

  async function history(path: string) {
    if (path.endsWith("/accesses")) return [];
    return Promise.all([...bundles].map(([bundleId, bundle]) => answerOf(bundleId, bundle)));
  }

  async function verified(bundleId: string, bundle: FakeBundle) {
    if (bundle.state === "submitted") {
      const found = createHash("sha256")
        .update(await blobOf(bundle).downloadToBuffer())
        .digest("hex");
      bundle.state = found === bundle.submission?.sha256 ? "accepted" : "rejected";
    }
    const status = bundle.state === "accepted" ? "Succeeded" : bundle.state === "rejected" ? "Failed" : "NotStarted";
    return { id: bundleId, status, attempts: 1 };
  }

  async function toStorage(incoming: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> {
    storingNow += 1;
    mostStoringAtOnce = Math.max(mostStoringAtOnce, storingNow);
    await new Promise((resolve) => setTimeout(resolve, settings.storageDelayMs));
    const outgoing = forward(new URL(incoming.url ?? "", storage.url), {
      method: incoming.method,
      // By another name than an address, Azurite takes the account to be in the name.
      headers: { ...incoming.headers, host: new URL(storage.url).host },
    });
    outgoing.on("response", (answer) => {
      storingNow -= 1;
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on("error", () => response.destroy());
    outgoing.end(body);
  }

  async function handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = `${incoming.method} ${incoming.url}`;
    const nonce = /nonce="([^"]+)"/.exec(String(incoming.headers["signature-input"]))?.[1];
    seen.push({ what, nonce, headers: incoming.headers });
    const fault = faults.find((each) => each.times > 0 && each.on.test(what));
    if (fault !== undefined) fault.times -= 1;
    if (fault?.what === "drop") return void incoming.socket.destroy();
    const body = await buffer(incoming);
    if (what.includes("comp=block&")) await gathered();
    if (typeof fault?.what === "object") {
      const { status, headers, code = "ServiceUnavailable" } = fault.what;
      response.writeHead(status, { ...headers, "x-ms-error-code": code });
      return void response.end(JSON.stringify(refusal(status, code).value));
    }
    if (fault?.what === "corruptBody") body[0] = (body[0] ?? 0) ^ 0xff;
    const path = incoming.url ?? "";
    if (path.startsWith("/devstoreaccount1/")) return toStorage(incoming, body, response);
    const { status, value } = await serve(incoming.method ?? "", path.split("?")[0] ?? "", body);
    if (fault?.what === "loseAnswer") return void incoming.socket.destroy();
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  }

  const listener = (incoming: IncomingMessage, response: ServerResponse): void => {
    handle(incoming, response).catch((error: unknown) => {
      // A client that was killed in the middle of a request; anything else shows as an answer that no test expects.
      if (incoming.destroyed && !incoming.complete) return;
      response
        .writeHead(400, { "content-type": "application/json" })
        .end(JSON.stringify(refusal(400, String(error)).value));
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  origin = `${tls === undefined ? "http" : "https"}://${host}:${typeof address === "object" ? address?.port : never()}`;

  return {
    origin,
    faults,
    settings,
    seen,
    /** Requests that match, such as the blocks that were sent. */
    requests: (pattern: RegExp) => seen.filter(({ what }) => pattern.test(what)),
    mostStoringAtOnce: () => mostStoringAtOnce,
    bundleIds: () => [...bundles.keys()],
    stateOf: (bundleId: string) => bundles.get(bundleId)?.state,
    blob: (bundleId: string) => blobOf(bundles.get(bundleId) ?? never()),
    /** Spoils the bytes after they were committed. */
    overwrite: (bundleId: string) => overwrite(bundles.get(bundleId) ?? never()),
    /** Comes to its verdict without being asked. */
    reject: (bundleId: string) => Object.assign(bundles.get(bundleId) ?? never(), { state: "rejected" }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([...bundles.values()].map(({ container }) => container.deleteIfExists()));
    },
  };
}

export type FakeIntake = Awaited<ReturnType<typeof startFakeIntake>>;

const refusal = (status: number, code: string) => ({
  status,
  value: { error: { code, message: `Refused with ${code}.` } },
});

function stampAnswer(path: string, body: unknown): z.input<typeof stamp> {
  const { keys, ...registered } = registration.parse(body);
  const now = new Date().toISOString();
  return {
    ...registered,
    stampId: path.split("/")[2] ?? never(),
    registrationGeneration: 1,
    accessApproval: "notRequired",
    state: "enabled",
    keys: keys.map((key) => ({ ...key, state: "active", addedBy: "registration" })),
    createdOn: now,
    updatedOn: now,
  };
}

function never(): never {
  throw new Error("The fake service has no such bundle");
}
