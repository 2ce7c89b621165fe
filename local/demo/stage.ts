import { rm } from "node:fs/promises";
import { asStamp, connect, type PrivateJwk, type StampApi, signingKey, stampApi } from "../../client/index.ts";
import { type OwnService, startOwnService } from "./ownService.ts";
import { gather, type People } from "./people.ts";
import type { Teller } from "./telling.ts";

/** Where the demo plays: a folder, a service in it that can be started again on another day, and everybody who calls it. */

export type Stage = {
  readonly story: Teller;
  readonly folder: string;
  readonly stampId: string;
  readonly deploymentId: string;
  readonly key: PrivateJwk;
  /** The engineer's object id. */
  readonly engineer: string;
  readonly caseNumber: string;
  /** The service that runs now. */
  service: OwnService | undefined;
};

/** The service as it runs now, and everybody who calls it. */
export type Now = { readonly service: OwnService; readonly people: People; readonly stamp: StampApi };

/** Starts the service, or the same one again with its clock of retention moved. */
export async function raise(stage: Stage, clockOffsetDays = 0): Promise<Now> {
  await stage.service?.stop();
  stage.service = undefined;
  const service = await startOwnService(stage.folder, clockOffsetDays);
  stage.service = service;
  const people = await gather(service.origin, stage.folder, stage.engineer);
  const stamp = stampApi(connect(service.origin, asStamp(await signingKey(stage.key))), stage.stampId);
  return { service, people, stamp };
}

/** Stops the service and its storage, and leaves nothing behind. */
export async function strike(stage: Stage): Promise<void> {
  await stage.service?.stop();
  await rm(stage.folder, { recursive: true, force: true });
}
