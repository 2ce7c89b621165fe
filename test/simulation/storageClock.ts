import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import type { Known } from "./known.ts";
import type { VirtualTime } from "./time.ts";

/**
 * Storage dates what is written by a clock of its own, which real time moves. Quiet hours of a drop box count from those dates, so a listing of one
 * tells them here as if storage's clock had gone with the simulated time.
 */
export function storageClock(known: Known, time: VirtualTime): PipelinePolicy {
  return {
    name: "storageClock",
    sendRequest: async (request, next) => {
      const response = await next(request);
      const { pathname, searchParams } = new URL(request.url);
      const [, dropBoxId = ""] = /\/box-\d{8}-([0-9a-f-]{36})$/.exec(pathname) ?? [];
      const box = known.boxes.get(dropBoxId);
      const body = response.bodyAsText;
      if (box === undefined || searchParams.get("comp") !== "list" || typeof body !== "string") return response;
      const ahead = time.now().getTime() - Date.now();
      const bodyAsText = body.replaceAll(
        /(<Name>([^<]*)<\/Name>.*?<Last-Modified>)[^<]*/gs,
        (listed: string, before: string, path: string) => {
          const last = box.writes.findLast((write) => write.path === path);
          return last === undefined ? listed : `${before}${new Date(last.writtenOn - ahead).toUTCString()}`;
        },
      );
      return { ...response, bodyAsText };
    },
  };
}
