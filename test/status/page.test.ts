//! The page in a real browser, over a view that changes.
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../agent/base/log.js";
import { type StatusServer, startStatusServer } from "../../agent/status/server.js";
import type { View } from "../../agent/status/view.js";
import { ALARM, FOLDED, HOSTILE, view } from "./view.js";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const CHROMIUM = process.env["CHROMIUM"] ?? PLACES.find((place) => existsSync(place)) ?? null;
if (CHROMIUM === null) console.log("skipped: Chromium is not installed (page)");

let browser: Browser;
let server: StatusServer;
let page: Page;
let shown: View = view();
const complaints: string[] = [];
const foreign: string[] = [];

beforeAll(async () => {
  if (CHROMIUM === null) return;
  const sources = { view: () => shown, health: () => ({ ok: true, reasons: [] }) };
  server = await startStatusServer({ host: "127.0.0.1", port: 0 }, sources, silentLog);
  const base = `http://127.0.0.1:${server.port}/`;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  page = await browser.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (one) => {
    if (!one.url().startsWith(base) && !one.url().startsWith("data:")) foreign.push(one.url());
  });
  await page.goto(base);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const row = (name: string) => page.locator("tr[tabindex]", { hasText: name }).first();

test.skipIf(CHROMIUM === null)(
  "calm: what is watched, with value, unit, age and state",
  async () => {
    await row("oilTemp").waitFor();
    expect(await row("oilTemp").innerText()).toMatch(/62\.5\s+°C\s+0\.3 s/);
    expect(await row("windingTemp").innerText()).toMatch(/–.*stale/s);
    expect(await row("power").innerText()).toMatch(/95\s+kW.*outside/s);
    expect(await row("pitch").innerText()).toContain("waiting for its first value");
    expect(await page.locator("#quiet").isVisible()).toBe(true);
    const facts = await page.locator("#facts").innerText();
    expect(facts).toContain("down: connection refused");
    expect(facts).toMatch(/rejected\s+5/);
    expect(await page.getByText("not commissioned").isVisible()).toBe(true);
    expect(await page.getByText("Fault orders of the bearing: outer 3.58").isVisible()).toBe(true);
  },
);

test.skipIf(CHROMIUM === null)(
  "an alarm appears with its evidence, its consequence folded in",
  async () => {
    shown = view([ALARM, FOLDED]);
    const item = page.locator("#alarms > li");
    await item.waitFor();
    expect(await item.count()).toBe(1);
    const text = await item.innerText();
    for (const part of [
      "■ critical",
      "wt07 gearbox-hss: Bearing damage",
      "value 9.123 m/s² peak, limit 8 m/s² peak (config), expected 1 m/s² peak ± 0.5",
      "Inspect the bearing",
      "outer race at order 3.58",
      "folded in: hss-bearing-temp, Bearing warm",
    ]) {
      expect(text).toContain(part);
    }
    expect(await page.title()).toBe("(1) Sterna");
    shown = view();
    await page.locator("#quiet").waitFor({ state: "visible" });
    expect(await item.count()).toBe(0);
  },
);

test.skipIf(CHROMIUM === null)("a row chosen by keyboard shows its trend", async () => {
  await row("oilTemp").focus();
  await page.keyboard.press("Enter");
  await page.locator("#trend-plot canvas").waitFor();
  expect(await page.locator("#trend-title").innerText()).toBe("Trend of wt07 oilTemp in °C");
  expect(await row("oilTemp").getAttribute("aria-selected")).toBe("true");
});

test.skipIf(CHROMIUM === null)(
  "names from outside stay text, and the page asks nobody else",
  async () => {
    expect(await page.getByText(HOSTILE).first().isVisible()).toBe(true);
    expect(await page.locator("img").count()).toBe(0);
    expect([complaints, foreign]).toEqual([[], []]);
  },
);

test.skipIf(CHROMIUM === null)("it fits a phone, and says when the agent has gone", async () => {
  await page.setViewportSize({ width: 360, height: 800 });
  const wide = Number(await page.evaluate("document.documentElement.scrollWidth"));
  expect(wide).toBeLessThanOrEqual(360);
  await server.stop();
  await page.getByText("what stands here is old").waitFor({ timeout: 15_000 });
});
