import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { until } from "../../support/until.ts";
import { commandLine } from "./commandLine.ts";

const blocks = /comp=block&/;
const kib = 1024;

const bundleJson = z.object({ bundleId: z.string(), state: z.string() });

describe("the command line", () => {
  test("registers a stamp whose key stays in a file that only its owner reads", async () => {
    await using scene = await commandLine();
    const first = await scene.run("register", "--name", "Stamp of the test", "--json");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    const profile = join(scene.local, "stamp", "profile.json");
    expect((await stat(profile)).mode & 0o777).toBe(0o600);
    const before = await readFile(profile, "utf8");
    expect(first.stdout).not.toContain('"d"');

    const again = await scene.run("register");
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('Registered "Stamp of the test"');
    expect(await readFile(profile, "utf8")).toBe(before);
    expect(scene.intake.requests(/PUT \/stamps/)[0]?.headers.authorization).toBe("Bearer a-token");
  });

  test("sends a file that counts from where the command was typed, and lists it", async () => {
    await using scene = await commandLine();
    await scene.folder.file("logs.zip", 100 * kib);
    await scene.run("register");
    const sent = await scene.run("send", "logs.zip", "--case", "2211280040006230");
    expect(sent.code).toBe(0);
    expect(sent.stdout).toContain("Accepted");
    expect(sent.stderr).toContain("100 %");
    const [bundleId = ""] = scene.intake.bundleIds();
    const history = await scene.run("history");
    expect(history.stdout).toMatch(/time collected +status +logs start +logs end +type/);
    expect(history.stdout).toContain(bundleId);
    expect((await scene.run("status", bundleId)).stdout).toContain(`Bundle ${bundleId} is accepted.`);
  });

  test("answers a script with JSON on standard output and nothing else", async () => {
    await using scene = await commandLine();
    await scene.folder.file("logs.zip", 100);
    await scene.run("register");
    const sent = await scene.run("send", "logs.zip", "--json", "--quiet");
    expect(sent).toMatchObject({ code: 0, stderr: "" });
    expect(bundleJson.parse(JSON.parse(sent.stdout)).state).toBe("accepted");
  });

  test("tells the ways to send also to a stamp that the service does not listen to", async () => {
    await using scene = await commandLine();
    await scene.run("register");
    for (const code of ["StampDisabled", "KeyRetired"]) {
      scene.intake.faults.push({ on: /collectionOptions/, times: 1, what: { status: 403, code } });
      const told = await scene.run("options");
      expect(told.code).toBe(0);
      expect(told.stdout).toContain(`send logs now: not available\n  Refused with ${code}.`);
      expect(told.stdout).toContain("privileged endpoint: available, recommended");
    }
  });

  test("that was killed in the middle goes on where it was", async () => {
    await using scene = await commandLine();
    await scene.folder.file("logs.zip", 40 * 64 * kib);
    await scene.run("register");
    scene.intake.settings.storageDelayMs = 20;
    const { child, ended } = scene.start("send", "logs.zip");
    await until("twelve blocks on their way", () => scene.intake.requests(blocks).length >= 12);
    child.kill("SIGKILL");
    await ended;
    scene.intake.settings.storageDelayMs = 0;
    const before = scene.intake.requests(blocks).length;
    const again = await scene.run("send", "logs.zip", "--json");
    expect(again.code).toBe(0);
    expect(scene.intake.bundleIds()).toEqual([bundleJson.parse(JSON.parse(again.stdout)).bundleId]);
    // Of the twelve or more, the four lanes had one each that may have been lost, or may arrive only now.
    expect(scene.intake.requests(blocks).length - before).toBeLessThanOrEqual(32);
    expect(await readdir(join(scene.local, "stamp", "uploads"))).toEqual([]);
  });
});

describe("the exit code", () => {
  test("is 130 after an interruption, with a word on how to go on", async () => {
    await using scene = await commandLine();
    await scene.folder.file("logs.zip", 40 * 64 * kib);
    await scene.run("register");
    scene.intake.settings.storageDelayMs = 50;
    const { child, ended } = scene.start("send", "logs.zip");
    await until("four blocks on their way", () => scene.intake.requests(blocks).length >= 4);
    child.kill("SIGINT");
    const interrupted = await ended;
    expect(interrupted.code).toBe(130);
    expect(interrupted.stderr).toContain("the same command goes on from here");
  });

  test("is 3 for a bundle that was rejected", async () => {
    await using scene = await commandLine();
    await scene.folder.file("logs.zip", 100);
    await scene.run("register");
    await scene.run("send", "logs.zip", "--no-wait");
    const [bundleId = ""] = scene.intake.bundleIds();
    await scene.intake.overwrite(bundleId);
    scene.intake.reject(bundleId);
    const status = await scene.run("status", bundleId);
    expect(status).toMatchObject({ code: 3 });
    expect(status.stdout).toContain("DigestMismatch");
  });

  test("is 4 where nothing answers, and the message says what to do", async () => {
    await using scene = await commandLine();
    await scene.run("register");
    const status = await scene.run("history", "--origin", "http://127.0.0.1:9");
    expect(status.code).toBe(4);
    expect(status.stderr).toContain("No answer from http://127.0.0.1:9");
    expect(status.stderr).toContain("npm start");
  });

  test("is 1 for a refusal, in the service's words", async () => {
    await using scene = await commandLine();
    await scene.run("register");
    scene.intake.faults.push({ on: /bundles/, times: 1, what: { status: 403, code: "StampDisabled" } });
    const refused = await scene.run("history");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("Refused with StampDisabled. (StampDisabled");
  });

  test.each([
    [["send"], "missing required argument"],
    [["send", "no-such-file.zip"], "cannot be read"],
    [["send", "logs.zip", "--case", "12"], "15 to 19 digits"],
    [["send", "logs.zip", "--from", "yesterday"], "must be a time"],
    [["status", "12"], "no bundle id"],
    [["history", "--top", "none"], "whole number"],
    [["register", "--stamp-version", "new"], "stampVersion must be a stamp version"],
    [["no-such-command"], "unknown command"],
    [["history", "--origin", "nowhere"], "no URL"],
    [["history", "--origin", "intake.example.com:443"], "no URL"],
    [["import", "no-such-folder"], "is no folder"],
    [["import", "logs.zip"], "is no folder"],
    [["prune", "no-such-folder", "--max-age", "1d"], "is no folder"],
  ])("is 2 for wrong usage: %j", async (words, told) => {
    await using scene = await commandLine();
    await scene.folder.file("logs.zip", 100);
    const { code, stderr } = await scene.run(...words);
    expect(stderr).toContain(told);
    expect(code).toBe(2);
  });

  test("is 2 for a service that the environment names wrongly, and the message names the variable", async () => {
    await using scene = await commandLine({}, { STAMP_INTAKE_ORIGIN: "nowhere" });
    const { code, stderr } = await scene.run("options");
    expect(stderr).toContain("STAMP_INTAKE_ORIGIN: nowhere is no URL");
    expect(code).toBe(2);
  });

  test("is 2 before a stamp is registered, and the message says how", async () => {
    await using scene = await commandLine();
    const { code, stderr } = await scene.run("history");
    expect(code).toBe(2);
    expect(stderr).toContain("npm run stamp -- register");
  });
});
