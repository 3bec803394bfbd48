/** `60` or `60s`, as an option has it; absent: without end. NaN for anything else. */
export function secondsOf(option: unknown): number {
  if (option === undefined) return Number.POSITIVE_INFINITY;
  const digits = /^(\d+(?:\.\d+)?)s?$/.exec(String(option))?.[1];
  return digits === undefined ? Number.NaN : Number(digits);
}

/** Waits for SIGTERM or SIGINT, or for the time to be over. */
export function ended(duration_s = Number.POSITIVE_INFINITY): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
    if (Number.isFinite(duration_s)) setTimeout(resolve, duration_s * 1_000);
  });
}
