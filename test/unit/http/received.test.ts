import { HttpRequest } from "@azure/functions";
import { describe, expect, it } from "vitest";
import { DomainError } from "../../../shared/errors.ts";
import { receive } from "../../../shared/http/received.ts";

const most = 16 * 1024;

type Sent = { url?: string; method?: string; headers?: Record<string, string>; body?: Uint8Array };

/** A request as the host hands it over. */
const request = ({ url = "https://intake/stamps", method = "PUT", headers = {}, body }: Sent) =>
  new HttpRequest({ url, method, headers, params: {}, ...(body === undefined ? {} : { body: { bytes: body } }) });
const of = (bytes: number) => ({
  headers: { "content-length": String(bytes) },
  body: new Uint8Array(bytes).fill(0x20),
});

async function verdict(sent: Sent, takesBody = true): Promise<string> {
  try {
    await receive(request(sent), takesBody);
    return "received";
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

describe("a body", () => {
  it("comes with its length", async () => {
    expect(await verdict(of(2))).toBe("received");
    expect(await verdict({ body: Buffer.from("{}") })).toBe("LengthRequired");
    expect(await verdict({})).toBe("LengthRequired");
  });

  it.each(["chunked", "Chunked", "gzip, chunked", "identity"])(
    "is never sent with Transfer-Encoding: %s",
    async (encoding) => {
      for (const takesBody of [true, false]) {
        const headers = { "transfer-encoding": encoding, "content-length": "2" };
        expect(await verdict({ headers, body: Buffer.from("{}") }, takesBody)).toBe("LengthRequired");
        expect(await verdict({ headers: { "transfer-encoding": encoding } }, takesBody)).toBe("LengthRequired");
      }
    },
  );

  it("may have 16 KiB, and no byte more, by what it says and by what it is", async () => {
    expect(await verdict(of(most))).toBe("received");
    expect(await verdict(of(most + 1))).toBe("BodyTooLarge");
    expect(await verdict({ headers: { "content-length": String(most + 1) } })).toBe("BodyTooLarge");
    expect(await verdict({ headers: { "content-length": "2" }, body: new Uint8Array(most + 1) })).toBe("BodyTooLarge");
    expect(await verdict({ headers: { "content-length": "99999999999999999999" } }, false)).toBe("BodyTooLarge");
  });

  it("is not needed, nor its length, where none is taken", async () => {
    expect(await verdict({ method: "GET" }, false)).toBe("received");
    expect(await verdict({ method: "POST", headers: { "content-length": "0" } }, false)).toBe("received");
  });

  it("that is empty is none", async () => {
    expect((await receive(request({ headers: { "content-length": "0" } }), true)).body).toBeUndefined();
    expect((await receive(request(of(2)), true)).body).toEqual(new Uint8Array([0x20, 0x20]));
  });
});

describe("a path", () => {
  it.each(["%41", "a%2Fb", "%"])("with %s in it is InvalidPath", async (part) => {
    expect(await verdict({ url: `https://intake/stamps/${part}`, method: "GET" }, false)).toBe("InvalidPath");
  });

  it("may be followed by a query with percent signs", async () => {
    const received = await receive(request({ url: "https://intake/cases?a=%2F&b=c+d", method: "GET" }), false);
    expect(received).toMatchObject({ path: "/cases", search: "?a=%2F&b=c+d" });
    expect(received.query.get("a")).toBe("/");
    expect(received.query.get("b")).toBe("c d");
  });

  it("and query are kept as they were sent, for that is what was signed", async () => {
    const received = await receive(
      request({ url: "https://intake/stamps/A:disable?X=1&x=2&&", method: "post" }),
      false,
    );
    expect(received).toMatchObject({ method: "POST", path: "/stamps/A:disable", search: "?X=1&x=2&&" });
  });

  it("is the root where the URL has none", async () => {
    expect(await receive(request({ url: "https://intake", method: "GET" }), false)).toMatchObject({
      path: "/",
      search: "",
    });
  });
});

it("of several faults the length is told first, then the size, then the path", async () => {
  const url = "https://intake/%41";
  expect(await verdict({ url, body: new Uint8Array(most + 1) })).toBe("LengthRequired");
  expect(await verdict({ url, ...of(most + 1) })).toBe("BodyTooLarge");
  expect(await verdict({ url, ...of(2) })).toBe("InvalidPath");
});
