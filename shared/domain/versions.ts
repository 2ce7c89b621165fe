/** Versions of stamps (`1.2501.1.47`) and of clients (`0.1.0`): numbers between dots, compared one after the other. */

/** What is configured: the oldest that may begin a bundle; undefined asks nothing. */
export type OldestVersions = { readonly stamp: string | undefined; readonly client: string | undefined };

/** Whether `version` is older than `oldest`. A part that is missing counts as 0. */
export function isOlder(version: string, oldest: string): boolean {
  const [a, b] = [numbersOf(version), numbersOf(oldest)];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

const numbersOf = (version: string): number[] => version.split(".").map(Number);
