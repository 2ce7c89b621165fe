import { request } from "node:http";

/** Writes a blob into the container of a URL under a name as it stands: libraries take `..` for a step, as a browser does. Gives the status. */
export const putRaw = (containerUrl: string, name: string, body: string | Buffer): Promise<number> =>
  new Promise((resolve, reject) => {
    const { hostname, port, pathname, search } = new URL(containerUrl);
    const path = `${pathname}/${name.split("/").map(encodeURIComponent).join("/")}${search}`;
    const headers = { "x-ms-blob-type": "BlockBlob", "content-length": Buffer.byteLength(body) };
    const sent = request({ hostname, port, method: "PUT", path, headers }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", reject).end(body);
  });
