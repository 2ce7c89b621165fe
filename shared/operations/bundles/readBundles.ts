import type { Bundle, BundleState, Erasure, Mode, Verification } from "../../api/bundles.ts";
import type { BundleId, StampId } from "../../api/primitives.ts";
import type { BundleRecord } from "../../domain/bundle.ts";
import type { SenderRecord } from "../../domain/sender.ts";
import type { Caller, StampCaller } from "../caller.ts";
import type { World } from "../needs.ts";
import { type PageRequest, type PageResult, sieve } from "../paging.ts";
import { invalidState, noErasure, noSuchBundle, requireSender } from "../refusals.ts";
import { bundleView, bundleViewFor, erasureView, verificationView } from "./view.ts";

type Needs = Pick<World, "clock" | "stamps" | "landing" | "people" | "contents">;

async function read(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  bundleId: BundleId,
): Promise<{ sender: SenderRecord; bundle: BundleRecord }> {
  const head = caller.kind === "token" ? await world.stamps.head(stampId) : caller.head;
  const bundle = await world.stamps.bundle(stampId, bundleId);
  if (bundle === undefined || head.state === undefined) throw noSuchBundle();
  return { sender: head.state, bundle };
}

export async function readBundle(world: Needs, caller: Caller, stampId: StampId, bundleId: BundleId): Promise<Bundle> {
  const { sender, bundle } = await read(world, caller, stampId, bundleId);
  return await bundleViewFor(world, caller, bundle, sender);
}

/** A fresh upload URL while the bundle is `created`. */
export async function renewUpload(world: Needs, caller: StampCaller, bundleId: BundleId): Promise<Bundle> {
  const bundle = await readBundle(world, caller, caller.stampId, bundleId);
  if (bundle.state === "created") return bundle;
  throw invalidState(bundle.state, `The bundle is ${bundle.state} and takes no upload any more.`);
}

export async function readVerification(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  bundleId: BundleId,
): Promise<Verification> {
  return verificationView((await read(world, caller, stampId, bundleId)).bundle);
}

export async function readErasure(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  bundleId: BundleId,
): Promise<Erasure> {
  const view = erasureView((await read(world, caller, stampId, bundleId)).bundle);
  if (view === undefined) throw noErasure();
  return view;
}

/** The log collection history, newest first. */
export async function listBundles(
  world: Needs,
  caller: Caller,
  stampId: StampId,
  page: PageRequest,
  filter: { readonly state?: BundleState | undefined; readonly mode?: Mode | undefined },
): Promise<PageResult<Bundle>> {
  const sender = requireSender(caller.kind === "stamp" ? caller.head : await world.stamps.head(stampId));
  const now = world.clock.now();
  return await sieve(world.stamps.history(stampId, page.after), page.top, async ({ item: bundleId }) => {
    const bundle = await world.stamps.bundle(stampId, bundleId);
    if (bundle === undefined) return undefined;
    const view = bundleView(bundle, sender, now);
    const passes = (filter.state ?? view.state) === view.state && (filter.mode ?? view.mode) === view.mode;
    return passes ? view : undefined;
  });
}
