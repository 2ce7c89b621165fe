/**
 * The proxy that the environment names, as most tools read it: `HTTPS_PROXY` and `HTTP_PROXY` by the scheme of what is called,
 * `NO_PROXY` for what is called directly, lower-case names first. Credentials stand in the URL: `http://user:password@proxy:8080`.
 */

type Environment = Readonly<Record<string, string | undefined>>;

/** What `node:http`'s agents take as `proxyEnv`. */
export type ProxySettings = { HTTP_PROXY?: string; HTTPS_PROXY?: string; NO_PROXY: string };

/** No proxy elsewhere can reach these, and the service of `npm start` is there. */
const thisMachine = "localhost,127.0.0.0-127.255.255.255,::1";

/** The settings in force; `undefined` where there are none. Throws `TypeError` naming a variable that is no proxy's URL. */
export function proxySettings(environment: Environment): ProxySettings | undefined {
  const read = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined;
  const [http, https] = [proxyUrl("HTTP_PROXY", read("HTTP_PROXY")), proxyUrl("HTTPS_PROXY", read("HTTPS_PROXY"))];
  if (http === undefined && https === undefined) return undefined;
  return {
    ...(http === undefined ? {} : { HTTP_PROXY: http }),
    ...(https === undefined ? {} : { HTTPS_PROXY: https }),
    NO_PROXY: [read("NO_PROXY"), thisMachine].filter(Boolean).join(","),
  };
}

/** Node passes over what it cannot read without a word, and would then call directly. The value may hold a password, so it is not repeated. */
function proxyUrl(name: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const written = value.includes("://") ? value : `http://${value}`;
  if (URL.canParse(written) && ["http:", "https:"].includes(new URL(written).protocol)) return written;
  throw new TypeError(`${name} is not the URL of an HTTP proxy; it looks like http://proxy.example.com:8080`);
}
