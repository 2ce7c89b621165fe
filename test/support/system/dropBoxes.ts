import { randomUUID } from "node:crypto";
import { ContainerClient } from "@azure/storage-blob";
import { expect } from "vitest";
import { z } from "zod";
import { until } from "../until.ts";
import type { CaseActor } from "./cases.ts";
import { expectStatus } from "./expectations.ts";
import type { Answer } from "./http.ts";
import type { Person, World } from "./world.ts";

/** A drop box of a case, the engineer who opened it, and the customer who writes to it. */

type Fields = Readonly<Record<string, unknown>>;

const guid = z.guid();
const time = z.iso.datetime();

export const dropBoxShape = z.looseObject({
  caseNumber: z.string().regex(/^\d{15,19}$/),
  dropBoxId: guid,
  stampId: guid,
  state: z.enum(["open", "closing", "closed"]),
  contact: z.strictObject({ name: z.string().optional(), email: z.string().optional() }),
  consentDecision: z.looseObject({
    decisionId: guid,
    basis: z.literal("operator"),
    decidedBy: z.string().optional(),
    decidedOn: time,
    termsVersion: z.string(),
    purposes: z.array(z.string()).min(1),
  }),
  stampVersion: z.string().optional(),
  createdOn: time,
  expiresOn: time,
  closing: z.looseObject({ on: time, reason: z.string() }).optional(),
  closedOn: time.optional(),
  arrived: z
    .looseObject({
      files: z.int(),
      bytes: z.int(),
      refused: z.array(z.looseObject({ code: z.string(), files: z.int() })),
    })
    .optional(),
  deleteBy: time,
  purgeOn: time,
  upload: z.looseObject({ url: z.url(), expiresOn: time, command: z.string() }).optional(),
});
export type DropBox = z.infer<typeof dropBoxShape>;

export type DropBoxActor = {
  readonly dropBoxId: string;
  /** What the bundles of the box have where others have their stamp's id. */
  readonly stampId: string;
  /** `/cases/{caseNumber}/dropBoxes/{dropBoxId}` */
  readonly path: string;
  readonly partition: string;
  readonly request: Fields;
  readonly opened: DropBox;
  /** The customer's client: any that takes a container's URL. */
  readonly container: ContainerClient;
  readonly put: (changes?: Fields, by?: Person) => Promise<Answer>;
  readonly write: (path: string, bytes?: Buffer | string) => Promise<void>;
  /** Says so, and waits until it is. */
  readonly close: () => Promise<DropBox>;
  readonly view: () => Promise<DropBox>;
};

export async function dropBoxRequest(world: World, changes: Fields = {}): Promise<Fields> {
  const contact = { name: "Ada of Contoso", email: "ada@contoso.example" };
  const consent = { decidedBy: "Grace of Contoso", decidedOn: world.on(-1), termsVersion: await world.currentTerms() };
  return { contact, consent, ...changes };
}

export type DropBoxOptions = {
  readonly dropBoxId?: string;
  /** Empties the box where no host takes the queue's messages. */
  readonly emptied?: (dropBoxId: string) => Promise<void>;
};

export async function openDropBox(
  world: World,
  { path: casePath, engineer }: CaseActor,
  changes: Fields = {},
  { dropBoxId = randomUUID(), emptied }: DropBoxOptions = {},
): Promise<DropBoxActor> {
  const path = `${casePath}/dropBoxes/${dropBoxId}`;
  const request = await dropBoxRequest(world, changes);
  const opened = dropBoxShape.parse(expectStatus(await engineer.call("PUT", path, request), 201).json);
  const view = async () => dropBoxShape.parse(expectStatus(await engineer.call("GET", path), 200).json);
  const container = new ContainerClient(opened.upload?.url ?? "");
  return {
    dropBoxId,
    stampId: opened.stampId,
    path,
    partition: `stamps/${opened.stampId}`,
    request,
    opened,
    container,
    put: (more = {}, by = engineer) => by.call("PUT", path, { ...request, ...more }),
    write: async (name, bytes = "") => {
      const body = Buffer.from(bytes);
      await container.getBlockBlobClient(name).upload(body, body.byteLength);
    },
    close: async () => {
      const closing = dropBoxShape.parse(expectStatus(await engineer.call("POST", `${path}:close`), 200).json);
      expect(["closing", "closed"]).toContain(closing.state);
      await emptied?.(dropBoxId);
      return await until("the box to be closed", async () => {
        const seen = await view();
        return seen.state === "closed" && seen;
      });
    },
    view,
  };
}
