import { app } from "@azure/functions";
import { serveUnknown } from "../running.ts";

/**
 * Whatever no other function takes is answered in the contract's envelope. The host asks functions in the order of their names: this one is last.
 * TRACE and CONNECT are the host's to answer, 404 too: the library cannot make a request of them, and would fail.
 */
app.http("zzUnknown", {
  methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
  route: "{*path}",
  authLevel: "anonymous",
  handler: serveUnknown,
});
