import type { BundleRecord } from "./bundle.ts";

/** What a download is called on the engineer's machine: nothing in it may make that machine run, hide or misread the file. */

/** Extensions that no desktop runs and that logs have; the lower-case form is compared. */
const keptExtensions = [".log", ".txt", ".evtx", ".etl", ".json", ".xml", ".csv", ".zip", ".cab", ".dmp"];

/** File systems take 255 bytes; a browser adds the likes of " (1)". */
const longestNameBytes = 240;

/** A whole bundle's name holds its two ids and no word of the stamp's. */
export const bundleDownloadName = ({
  stampId,
  bundleId,
  contentType,
  fileName,
}: Pick<BundleRecord, "stampId" | "bundleId" | "contentType" | "fileName">): string =>
  `${stampId}-${bundleId}${contentType === "application/zip" ? ".zip" : (keptExtension(fileName)?.toLowerCase() ?? ".txt")}`;

/** A lent file's own name without its folders, made harmless. Gives the same name for the name that it gave. */
export function fileDownloadName(path: string): string {
  const base = path.toWellFormed().split(/[/\\]/).at(-1) ?? "";
  const plain = [...base.replaceAll(/\s/gu, asSpace)].map(harmless).join("");
  const trimmed = plain.replace(/^ +|[ .]+$/g, "").replace(/^\.+/, "_");
  const kept = keptExtension(trimmed);
  const stem = trimmed.slice(0, trimmed.length - (kept?.length ?? 0)) || "file";
  const extension = kept ?? ".txt";
  const named = isDevice(stem) ? `_${stem}` : stem;
  return `${cut(named, longestNameBytes - extension.length)}${extension}`;
}

const keptExtension = (name: string): string | undefined => {
  const extension = /\.[A-Za-z]+$/.exec(name)?.[0];
  return extension !== undefined && keptExtensions.includes(extension.toLowerCase()) ? extension : undefined;
};

/** Line breaks and tabs are control characters; every other space becomes the plain one. */
const asSpace = (space: string): string => (/\p{Zs}/u.test(space) ? " " : space);

/**
 * Controls, format characters (text direction and zero width among them), line separators, and what Windows forbids in a name, also where a
 * legacy code page would turn a character into one of those.
 */
const harmful = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\uFFFD<>:"/\\|?*]/u;
/** Characters that Windows code pages replace by `/ \\ " < > | : * ?` ("best fit" mapping), without NFKC doing so. */
const bestFit =
  /[\u00A5\u01C0\u02BA\u02D0\u2032\u2033\u2035\u2036\u2044\u2215\u2216\u2217\u2223\u2236\u20A9\u2329\u232A\u2758\u3008\u3009\u301D\u301E]/u;
const harmless = (character: string): string =>
  [harmful, bestFit].some((kind) => kind.test(character)) || harmful.test(character.normalize("NFKC"))
    ? "_"
    : character;

/** Windows opens the device whatever extension follows; `¹` counts as 1 there. Source: Naming Files, Paths, and Namespaces. */
const isDevice = (stem: string): boolean =>
  /^(con|prn|aux|nul|conin\$|conout\$|clock\$|com\d|lpt\d) *(\.|$)/i.test(stem.normalize("NFKC"));

/** As many whole characters as fit. */
function cut(text: string, mostBytes: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > mostBytes) break;
    end += character.length;
  }
  return text.slice(0, end);
}
