import { arch, availableParallelism, cpus, platform, release, totalmem } from "node:os";

/** The machine that the numbers are from, in a line. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? "unknown processor";
  const memory = `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`;
  return `${model}, ${availableParallelism()} cores, ${memory}, ${platform()} ${release()} ${arch()}, Node ${process.version}`;
}
