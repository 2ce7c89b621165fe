import { describe, expect, test } from "vitest";
import { proxySettings } from "../../../client/proxy.ts";

const thisMachine = "localhost,127.0.0.0-127.255.255.255,::1";

describe("the proxy of the environment", () => {
  test("is none where none is named, whatever NO_PROXY says", () => {
    expect(proxySettings({ NO_PROXY: "*", HTTPS_PROXY: "" })).toBeUndefined();
  });

  test("is read by scheme, lower-case names first, with credentials, and with a scheme added where it has none", () => {
    expect(
      proxySettings({
        HTTPS_PROXY: "http://other.example:1",
        https_proxy: "http://user:p%40ss@proxy.example:8080",
        HTTP_PROXY: "proxy.example:3128",
      }),
    ).toEqual({
      HTTPS_PROXY: "http://user:p%40ss@proxy.example:8080",
      HTTP_PROXY: "http://proxy.example:3128",
      NO_PROXY: thisMachine,
    });
  });

  test("is never used for this machine, beside what NO_PROXY names", () => {
    const settings = proxySettings({ HTTP_PROXY: "http://proxy.example", no_proxy: ".intern.example,10.0.0.1" });
    expect(settings?.NO_PROXY).toBe(`.intern.example,10.0.0.1,${thisMachine}`);
  });

  test.each(["socks5://user:secret@proxy.example:1080", "http://", "http://user:secret@proxy:port"])(
    "that cannot be used is refused by its variable's name, without what it holds: %s",
    (value) => {
      expect(() => proxySettings({ HTTPS_PROXY: value })).toThrow(/^HTTPS_PROXY is not the URL of an HTTP proxy/);
      expect(() => proxySettings({ HTTPS_PROXY: value })).not.toThrow(/secret/);
    },
  );
});
