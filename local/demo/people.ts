import { z } from "zod";
import { asAnyone, asBearer, call, connect, listed, type Service } from "../../client/index.ts";
import { access, candidate, deletionCertificate } from "../../shared/api/bundles.ts";
import { type caseUpdate, grant, type grantRequest, issuedUrl, link, supportCase } from "../../shared/api/cases.ts";
import { checkpoint, ledgerEvent, retention } from "../../shared/api/compliance.ts";
import { bundleFile, extraction } from "../../shared/api/files.ts";
import type { RoleName } from "../../shared/auth/roles.ts";
import { openIssuer } from "../identity.ts";

/** Everybody beside the stamp, each with a token of their own, and what they ask of the service. */

export type People = Awaited<ReturnType<typeof gather>>;

/** `engineer` is the engineer's object id. */
export async function gather(origin: string, folder: string, engineer: string) {
  const issuer = await openIssuer(folder);
  const as = async (role: RoleName, oid: string = crypto.randomUUID()): Promise<Service> =>
    connect(origin, asBearer(await issuer.issueToken({ oid, roles: [role] })));
  const [registration, caseSystem, support, auditor] = await Promise.all([
    as("Registration.Manage"),
    as("Cases.Sync"),
    as("Support.Engineer", engineer),
    as("Compliance.Audit"),
  ]);
  return {
    registration,
    caseSystem: {
      update: (caseNumber: string, body: z.input<typeof caseUpdate>) =>
        ask(caseSystem, { method: "PUT", path: `/cases/${caseNumber}`, body, answer: supportCase }),
    },
    engineer: {
      link: (caseNumber: string, stampId: string, bundleId: string) =>
        ask(support, {
          method: "PUT",
          path: `/cases/${caseNumber}/stamps/${stampId}/bundles/${bundleId}`,
          answer: link,
        }),
      grant: (caseNumber: string, grantId: string, body: z.input<typeof grantRequest>) =>
        ask(support, { method: "PUT", path: grantPath(caseNumber, grantId), body, answer: grant }),
      bundles: (caseNumber: string) =>
        all(listed(support, { path: `/cases/${caseNumber}/bundles`, answer: candidate })),
      files: (caseNumber: string, { stampId, bundleId }: BundleName) =>
        all(listed(support, { path: `${bundlePath(caseNumber, { stampId, bundleId })}/files`, answer: bundleFile })),
      extract: (caseNumber: string, bundle: BundleName, path: string) =>
        ask(support, {
          method: "POST",
          path: `${bundlePath(caseNumber, bundle)}/files:extract`,
          body: { path },
          answer: extraction,
        }),
      issueUrl: (caseNumber: string, grantId: string, body: { stampId: string; bundleId: string }) =>
        ask(support, { method: "POST", path: `${grantPath(caseNumber, grantId)}:issueUrl`, body, answer: issuedUrl }),
    },
    auditor: {
      certificate: (stampId: string, bundleId: string) =>
        ask(auditor, {
          method: "GET",
          path: `/stamps/${stampId}/bundles/${bundleId}/deletionCertificate`,
          answer: deletionCertificate,
        }),
      checkpoints: () => all(listed(auditor, { path: "/compliance/checkpoints", answer: checkpoint })),
      retention: () => ask(auditor, { method: "GET", path: "/compliance/retention", answer: retention }),
      accesses: (stampId: string) => all(listed(auditor, { path: `/stamps/${stampId}/accesses`, answer: access })),
      events: () => all(listed(auditor, { path: "/compliance/events?top=1000", answer: ledgerEvent })),
    },
    /** Runs a timer now, as the Functions host's own admin endpoint does. */
    runTimer: async (name: string): Promise<void> => {
      const answer = await fetch(`${origin}/admin/functions/${name}`, { method: "POST", body: "{}" });
      if (answer.status !== 202) throw new Error(`The timer ${name} answered ${answer.status}`);
    },
    jwks: () => ask(connect(origin, asAnyone), { method: "GET", path: "/.well-known/jwks.json", answer: keySet }),
  };
}

const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });

type BundleName = { readonly stampId: string; readonly bundleId: string };

const bundlePath = (caseNumber: string, { stampId, bundleId }: BundleName) =>
  `/cases/${caseNumber}/stamps/${stampId}/bundles/${bundleId}`;

const grantPath = (caseNumber: string, grantId: string) => `/cases/${caseNumber}/accessGrants/${grantId}`;

const ask = async <T>(service: Service, request: Parameters<typeof call<T>>[1]): Promise<T> =>
  (await call(service, request)).value;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
