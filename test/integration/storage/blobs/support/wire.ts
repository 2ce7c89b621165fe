/** What a holder of a storage URL can send: plain HTTP, as any client in the world would. */

export type Headers = Readonly<Record<string, string>>;

/** A call on the URL's blob, with further query parameters; the answer's status and code are what tests look at. */
export function send(method: string, url: string, query = "", headers: Headers = {}, body?: Uint8Array<ArrayBuffer>) {
  return fetch(`${url}${query === "" ? "" : `&${query}`}`, { method, headers, body: body ?? null });
}

const blockId = (n: number): string => Buffer.from(String(n).padStart(6, "0")).toString("base64");
const blockList = (ids: readonly string[]): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`<BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join("")}</BlockList>`);

const fewBytes = () => new Uint8Array(512).fill(1);

export const putBlob = (url: string, bytes: Uint8Array<ArrayBuffer> = fewBytes(), headers: Headers = {}) =>
  send("PUT", url, "", { "x-ms-blob-type": "BlockBlob", ...headers }, bytes);

export const putBlock = (url: string, n: number, bytes: Uint8Array<ArrayBuffer> = fewBytes()) =>
  send("PUT", url, `comp=block&blockid=${encodeURIComponent(blockId(n))}`, {}, bytes);

export const commitBlocks = (url: string, ...blocks: readonly number[]) =>
  send("PUT", url, "comp=blocklist", {}, blockList(blocks.map(blockId)));

export const putPageBlob = (url: string) =>
  send("PUT", url, "", { "x-ms-blob-type": "PageBlob", "x-ms-blob-content-length": "512" });

export const putAppendBlob = (url: string) => send("PUT", url, "", { "x-ms-blob-type": "AppendBlob" });

export const lease = (url: string, seconds: number) =>
  send("PUT", url, "comp=lease", { "x-ms-lease-action": "acquire", "x-ms-lease-duration": String(seconds) });

export const breakLease = (url: string, afterSeconds: number) =>
  send("PUT", url, "comp=lease", { "x-ms-lease-action": "break", "x-ms-lease-break-period": String(afterSeconds) });

export const snapshot = (url: string) => send("PUT", url, "comp=snapshot");

export const archive = (url: string) => send("PUT", url, "comp=tier", { "x-ms-access-tier": "Archive" });

/** Every way in which a URL that may create and write can put or change something. */
export const everyWrite: Readonly<Record<string, (url: string) => Promise<Response>>> = {
  "Put Blob": (url) => putBlob(url),
  "Put Blob (page)": putPageBlob,
  "Put Blob (append)": putAppendBlob,
  "Put Block": (url) => putBlock(url, 7),
  "Put Block List": (url) => commitBlocks(url, 0),
  "Put Page": (url) => send("PUT", url, "comp=page", { "x-ms-page-write": "update", range: "bytes=0-511" }, fewBytes()),
  "Append Block": (url) => send("PUT", url, "comp=appendblock", {}, fewBytes()),
  "Lease Blob": (url) => lease(url, -1),
  "Break Lease": (url) => breakLease(url, 0),
  "Snapshot Blob": snapshot,
  "Set Blob Metadata": (url) => send("PUT", url, "comp=metadata", { "x-ms-meta-a": "b" }),
  "Set Blob Properties": (url) => send("PUT", url, "comp=properties", { "x-ms-blob-content-type": "text/plain" }),
  "Set Blob Tier": archive,
};
