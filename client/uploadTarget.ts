import type { Bundle } from "../shared/api/bundles.ts";

/** Where a bundle's bytes go: one URL that lives for some hours, and is renewed when it ends or is refused. */

export type Upload = NonNullable<Bundle["upload"]>;

export type UploadTarget = {
  /** The upload in force, renewed first where its end is near. */
  readonly current: () => Promise<Upload>;
  /** Says that storage would not take this one; the next `current` brings another. */
  readonly refuse: (upload: Upload) => void;
};

/** A URL is renewed this long before its end, in milliseconds, or in the last tenth of a shorter life. */
const marginMs = 5 * 60_000;

/** A target that starts with `first`, or by asking for one. Blocks in flight share one renewal. */
export function uploadTarget(first: Upload | undefined, renew: () => Promise<Upload>, now: () => Date): UploadTarget {
  let held = first && { upload: first, goodUntil: goodUntil(first, now()) };
  let renewal: Promise<Upload> | undefined;

  async function renewed(): Promise<Upload> {
    try {
      const upload = await renew();
      held = { upload, goodUntil: goodUntil(upload, now()) };
      return upload;
    } finally {
      renewal = undefined;
    }
  }

  return {
    current: async () => {
      if (held !== undefined && now().getTime() < held.goodUntil) return held.upload;
      renewal ??= renewed();
      return renewal;
    },
    refuse: (upload) => {
      if (held?.upload.url === upload.url) held = undefined;
    },
  };
}

function goodUntil({ expiresOn }: Upload, now: Date): number {
  const end = Date.parse(expiresOn);
  return end - Math.min(marginMs, (end - now.getTime()) / 10);
}
