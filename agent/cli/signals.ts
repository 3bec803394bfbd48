/** Waits for SIGTERM or SIGINT, or for the time to be over. */
export function ended(duration_s = Number.POSITIVE_INFINITY): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", resolve);
    process.once("SIGINT", resolve);
    if (Number.isFinite(duration_s)) setTimeout(resolve, duration_s * 1_000);
  });
}
