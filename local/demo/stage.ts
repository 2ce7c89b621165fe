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
  /** The service that runs, or is starting. */
  service: Promise<OwnService> | undefined;
  /** Once the stage is struck nothing is started any more. */
  struck: boolean;
};

/** The service as it runs now, and everybody who calls it. */
export type Now = { readonly service: OwnService; readonly people: People; readonly stamp: StampApi };

/** Starts the service, or the same one again with its clock of retention moved. */
export async function raise(stage: Stage, clockOffsetDays = 0): Promise<Now> {
  await (await stage.service)?.stop();
  if (stage.struck) throw new Error("The demo was stopped.");
  stage.service = startOwnService(stage.folder, clockOffsetDays);
  const service = await stage.service;
  const people = await gather(service.origin, stage.folder, stage.engineer);
  const stamp = stampApi(connect(service.origin, asStamp(await signingKey(stage.key))), stage.stampId);
  return { service, people, stamp };
}

/** Stops the service and its storage, also one that is still starting, and leaves nothing behind. */
export async function strike(stage: Stage): Promise<void> {
  stage.struck = true;
  // One that did not start has ended itself.
  const service = await stage.service?.catch(() => undefined);
  await service?.stop();
  await rm(stage.folder, { recursive: true, force: true });
}
