import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bundleId, stampId } from "../../../shared/api/primitives.ts";
import { bundleDownloadName, fileDownloadName } from "../../../shared/domain/downloadName.ts";

/** Names of downloads: what a stamp writes into them must not reach the engineer's machine as a command, a device or a disguise. */

const devices = [
  "CON",
  "PRN",
  "AUX",
  "NUL",
  "CONIN$",
  "CONOUT$",
  "COM0",
  "COM1",
  "COM9",
  "LPT1",
  "COM¹",
  "LPT²",
  "LPT³",
];

describe("a lent file's download name", () => {
  it.each([
    ["Storage-20270203040506.zip/NODE01/WinEvents/System.EVTX", "System.EVTX"],
    ["Reports\\Cluster.log", "Cluster.log"],
    ["Отчёт о сбое.json", "Отчёт о сбое.json"],
    ["Incident report.docm", "Incident report.docm.txt"],
    ["run.exe", "run.exe.txt"],
    ["no extension", "no extension.txt"],
    ["report\u202egpj.exe", "report_gpj.exe.txt"],
    ["a\u2066b\u200d\u200f.log", "a_b__.log"],
    ["line\r\nSet-Cookie: a=b.log", "line__Set-Cookie_ a=b.log"],
    ["stream.log:evil.exe", "stream.log_evil.exe.txt"],
    ["wide\uFF0Fslash\uFF1Acolon.log", "wide_slash_colon.log"],
    ["trailing.log. . .", "trailing.log"],
    ["trailing.exe ", "trailing.exe.txt"],
    ["blank\u00a0.log\u3000", "blank .log"],
    [".profile", "_profile.txt"],
    ["..", "file.txt"],
    ["folder/", "file.txt"],
    [".log", "_log.txt"],
  ])("of %j is %j", (path, name) => {
    expect(fileDownloadName(path)).toBe(name);
  });

  it.each(devices)("is no device's where the file is called %s", (device) => {
    for (const name of [
      device,
      device.toLowerCase(),
      `${device}.log`,
      `${device} .tar.gz`,
      ` ${device}. .`,
      `${device}.`,
    ]) {
      expect(fileDownloadName(name).split(".")[0]?.trim().toUpperCase(), name).not.toBe(device);
    }
    expect(fileDownloadName(`${device}SOLE.log`)).toBe(`${device}SOLE.log`);
  });

  it("is harmless and stays as it is, whatever the file is called", () => {
    const odd = fc.constantFrom(
      ...'/\\:*?"<>|. \u0000\u001f\u007f\u0085\u00ad\u061c\u200b\u200e\u202e\u2028\u2067\ufeff\ufffd\ud800\uff0e\uff0f\u{e0041}',
    );
    const word = fc.constantFrom(...devices, ".log", ".EXE", ".txt", ".docm", "a", "é", "😀");
    const path = fc
      .array(fc.oneof(odd, word, fc.string({ unit: "binary" })), { maxLength: 80 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(path, (given) => {
        const name = fileDownloadName(given);
        expect(name).toMatch(/\.(log|txt|evtx|etl|json|xml|csv|zip|cab|dmp)$/i);
        expect(name).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}<>:"/\\|?*]/u);
        expect(name).not.toMatch(/^[ .]|[ .]$/);
        expect(name.isWellFormed()).toBe(true);
        expect(name.normalize("NFKC")).not.toMatch(/^(con|prn|aux|nul|conin\$|conout\$|com\d|lpt\d) *(\.|$)/i);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(240);
        expect(fileDownloadName(name)).toBe(name);
      }),
      { numRuns: 500 },
    );
  });

  it("replaces what a Windows code page turns into a separator or a quote", () => {
    expect(fileDownloadName("slash\u2044div\u2215yen\u00A5won\u20A9quo\u02BAlt\u3008x.log")).toBe(
      "slash_div_yen_won_quo_lt_x.log",
    );
  });

  it("keeps a name that is harmless", () => {
    const stem = fc
      .stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9 ._-]{0,60}[A-Za-z0-9_-]{2}$/)
      .filter((each) => !/^(con|prn|aux|nul|com\d|lpt\d|clock)/i.test(each));
    const extension = fc.constantFrom(".log", ".evtx", ".EVTX", ".dmp", ".cab");
    fc.assert(
      fc.property(stem, extension, (name, kept) => {
        expect(fileDownloadName(`NODE01/${name}${kept}`)).toBe(`${name}${kept}`);
      }),
    );
  });

  it("keeps the extension of a name that is too long for a file system", () => {
    const name = fileDownloadName(`${"😀".repeat(200)}.evtx`);
    expect(name).toMatch(/^😀+\.evtx$/u);
    expect(Buffer.byteLength(name)).toBeGreaterThan(230);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(240);
  });
});

describe("a whole bundle's download name", () => {
  const ids = {
    stampId: stampId.parse("aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa"),
    bundleId: bundleId.parse("bbbbbbbb-2222-4222-8222-bbbbbbbbbbbb"),
  };
  const nameOf = (contentType: string, fileName: string) => bundleDownloadName({ ...ids, contentType, fileName });

  it("is its two ids, whatever its stamp called it", () => {
    expect(nameOf("application/zip", "Incident report.docm")).toBe(`${ids.stampId}-${ids.bundleId}.zip`);
  });

  it("has the extension of a drop box's file only where that is harmless", () => {
    expect(nameOf("application/octet-stream", "Get-AzureStackLog_Output.LOG")).toBe(
      `${ids.stampId}-${ids.bundleId}.log`,
    );
    expect(nameOf("application/octet-stream", "setup.exe")).toBe(`${ids.stampId}-${ids.bundleId}.txt`);
    expect(nameOf("application/octet-stream", "plain")).toBe(`${ids.stampId}-${ids.bundleId}.txt`);
  });
});
