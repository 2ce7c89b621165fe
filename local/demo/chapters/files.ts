import { size } from "../../../client/output.ts";
import type { Bundle } from "../../../shared/api/bundles.ts";
import type { Now, Stage } from "../stage.ts";

/** One file out of a bundle, instead of the whole, and what its customer sees of that. */
export async function readOneFile(
  { story, stampId, caseNumber }: Stage,
  { people, stamp }: Now,
  { bundleId, sizeBytes }: Bundle,
): Promise<void> {
  story.chapter("The engineer looks what is inside, and reads the one file that matters");
  const linked = (await people.engineer.bundles(caseNumber)).find((each) => each.bundleId === bundleId);
  story.claim("the service says that the bundle holds what was asked for", linked?.completeness?.verdict, "complete");
  const roles = linked?.completeness?.roles ?? [];
  story.tell(`By role, which needs no grant: ${roles.map(({ role, files }) => `${role} ${files}`).join(", ")} files.`);
  const files = await people.engineer.files(caseNumber, { stampId, bundleId });
  story.tell(`${files.length} files, those inside the role zips too.`);
  const { value: listed } = await stamp.accesses().next();
  story.claim("the operator sees that the engineer looked", [listed?.kind, listed?.bundleId], ["list", bundleId]);
  const file = files.find(({ path, role }) => role === "ECE" && path.endsWith("Cluster.log"));
  const { url, sizeBytes: read = 0 } = await people.engineer.extract(
    caseNumber,
    { stampId, bundleId },
    file?.path ?? "",
  );
  const received = await (await fetch(url ?? "")).arrayBuffer();
  story.tell(`${file?.path}: ${size(read)}, of a bundle of ${size(sizeBytes)}.`);
  story.claim("the file comes out whole, by a URL of its own", received.byteLength, file?.sizeBytes);
  const { value: seen } = await stamp.accesses().next();
  story.claim("the operator sees which file it was", seen?.path, file?.path);
}
