import { app } from "@azure/functions";
import { serveUnknown } from "../running.ts";

/** Whatever no other function takes is answered in the contract's envelope. The host asks functions in the order of their names: this one is last. */
app.http("zzUnknown", {
  methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"],
  route: "{*path}",
  authLevel: "anonymous",
  handler: serveUnknown,
});
