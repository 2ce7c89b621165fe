/**
 * What the benchmark uses of tus. Declared here because the project's type check runs without the benchmark's packages, and
 * because the client's own types leave out that it takes a file stream in Node.
 */

declare module "tus-js-client" {
  export class Upload {
    constructor(
      file: import("node:stream").Readable,
      options: {
        readonly endpoint: string;
        readonly uploadSize: number;
        readonly chunkSize: number;
        readonly retryDelays: null;
        readonly onSuccess: () => void;
        readonly onError: (error: Error) => void;
      },
    );
    start(): void;
  }
}

declare module "@tus/azure-store" {
  export class AzureStore {
    constructor(options: { readonly client: import("@azure/storage-blob").ContainerClient });
  }
}

declare module "@tus/server" {
  export class Server {
    constructor(options: { readonly path: string; readonly datastore: import("@tus/azure-store").AzureStore });
    listen(options: { readonly host: string; readonly port: number }): import("node:http").Server;
  }
}
