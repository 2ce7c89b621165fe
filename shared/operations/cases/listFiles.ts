import type { BundleFile } from "../../api/files.ts";
import { type BundleId, type CaseNumber, type Purpose, type StampId, toUtcTime } from "../../api/primitives.ts";
import { deflated, stored } from "../../archive/entry.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { CaseRecord } from "../../domain/case.ts";
import type { ListedFile } from "../../domain/inventory.ts";
import { requireLendable } from "../../domain/lending.ts";
import { DomainError } from "../../errors.ts";
import { isPast, linesFrom, NoLine, offsetBefore } from "../bundles/findFile.ts";
import { placeOf } from "../bundles/finishPurge.ts";
import type { TokenCaller } from "../caller.ts";
import type { Place, World } from "../needs.ts";
import type { PageRequest, PageResult } from "../paging.ts";
import { requireKnown } from "./view.ts";

/** Bytes that a line mostly has at the most: a page is read at once. */
const lineBytes = 512;
const leastPageBytes = 64 * 1024;

/**
 * What is in a bundle of the case, in the order of the paths, to an engineer who could be lent it. A page of it costs four calls: the case,
 * the bundle and its stamp at once, then the lines; the first one of a prefix one more, for the index.
 */
export async function listFiles(
  world: Pick<World, "cases" | "stamps" | "contents" | "clock">,
  caller: TokenCaller,
  at: { readonly caseNumber: CaseNumber; readonly stampId: StampId; readonly bundleId: BundleId },
  page: PageRequest,
  { prefix = "" }: { readonly prefix?: string | undefined },
): Promise<PageResult<BundleFile>> {
  const [head, found, { state: sender }] = await Promise.all([
    world.cases.head(at.caseNumber),
    world.stamps.bundle(at.stampId, at.bundleId),
    world.stamps.head(at.stampId),
  ]);
  const record = requireKnown(head, caller);
  const purpose = purposeOf(record, found);
  const { stampId } = at;
  const bundle = requireLendable({ case: record, stampId, bundle: found, sender, purpose, now: world.clock.now() });
  const place = placeOf(bundle);
  const start = page.after === undefined ? await startOf(world, place, prefix) : offsetIn(page.after);
  try {
    return await readPage(world, place, { start, top: page.top, prefix });
  } catch (error) {
    throw error instanceof NoLine ? noSuchPage(error) : error;
  }
}

/** One that the bundle could be lent for on this case; where there is none, one that the rules refuse. */
function purposeOf({ kind }: CaseRecord, bundle: BundleRecord | undefined): Purpose {
  const consented = bundle?.consentDecision.purposes ?? [];
  return kind === "support" && consented.includes("troubleshooting") ? "troubleshooting" : "productHealth";
}

type Wanted = { readonly start: number; readonly top: number; readonly prefix: string };

async function readPage(
  world: Pick<World, "contents">,
  place: Place,
  { start, top, prefix }: Wanted,
): Promise<PageResult<BundleFile>> {
  const value: BundleFile[] = [];
  let next = start;
  for await (const line of linesFrom(world, place, start, Math.max(leastPageBytes, top * lineBytes))) {
    if (isPast(line.file.path, prefix)) break;
    if (line.file.path.startsWith(prefix)) {
      if (value.length === top) return { value, next: String(next) };
      value.push(fileView(line.file));
    }
    next = line.next;
  }
  return { value, next: undefined };
}

/** The place of a page is the byte offset of its first line. */
function offsetIn(place: string): number {
  if (/^\d{1,9}$/.test(place)) return Number(place);
  throw noSuchPage();
}

const noSuchPage = (cause?: unknown) =>
  new DomainError(
    "InvalidParameter",
    "The skipToken is not one of a nextLink. Follow the nextLink as it is, or begin anew without it.",
    { target: "skipToken", cause },
  );

async function startOf(world: Pick<World, "contents">, place: Place, prefix: string): Promise<number> {
  if (prefix === "") return 0;
  const inventory = await world.contents.inventory(place);
  return inventory === undefined ? 0 : offsetBefore(inventory, prefix);
}

const methods = new Map<number, BundleFile["method"]>([
  [stored, "stored"],
  [deflated, "deflated"],
]);

const fileView = ({
  path,
  sizeBytes,
  compressedBytes,
  modifiedOn,
  method,
  role,
  isEncrypted,
}: ListedFile): BundleFile => ({
  path,
  sizeBytes,
  compressedBytes,
  ...(modifiedOn === undefined ? {} : { modifiedOn: toUtcTime(new Date(modifiedOn)) }),
  method: methods.get(method) ?? "other",
  ...(role === undefined ? {} : { role }),
  ...(isEncrypted === undefined ? {} : { isEncrypted }),
});
