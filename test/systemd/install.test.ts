//! systemd/install.sh into a temporary root. The version's folder is there beforehand, so that the
//! test needs no registry: everything but npm runs for real.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const SCRIPT = join(ROOT, "systemd/install.sh");
const CONFIG = "etc/sterna/sterna.yaml";

function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "sterna-install-"));
}

function install(root: string, ...args: string[]): { code: number | null; said: string } {
  const env = { ...process.env, DESTDIR: root };
  const done = spawnSync("sh", [SCRIPT, ...args], { encoding: "utf8", env });
  return { code: done.status, said: done.stdout + done.stderr };
}

/** What `npm pack` makes, with this manifest and nothing else. */
function tarballOf(manifest: object): string {
  const folder = freshFolder();
  mkdirSync(join(folder, "package"));
  writeFileSync(join(folder, "package/package.json"), JSON.stringify(manifest, null, 2));
  const file = join(folder, "sterna.tgz");
  expect(spawnSync("tar", ["-czf", file, "-C", folder, "package"]).status).toBe(0);
  return file;
}

/** The repository's own build as the unpacked version: links, as npm would make a whole tree. */
function unpack(root: string, version: string): void {
  const folder = join(root, "opt/sterna", version);
  mkdirSync(folder, { recursive: true });
  for (const part of ["dist", "node_modules", "package.json"]) {
    symlinkSync(join(ROOT, part), join(folder, part));
  }
  for (const part of ["config", "systemd"]) {
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  }
}

const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);
const sterna = (version: string): string => tarballOf({ name: "sterna", version });

test("--dry-run says every step and changes nothing", () => {
  const root = freshFolder();
  const { code, said } = install(root, "--dry-run", sterna("7.0.0"));
  expect(said).toMatch(/npm --prefix \S+\/opt\/sterna\/\.7\.0\.0\.part install --omit=dev/);
  expect(said).toContain("--ignore-scripts");
  expect(code).toBe(0);
  expect(readdirSync(root)).toEqual([]);
});

test.each([
  ["no tarball named", () => [], "name the tarball"],
  ["no such file", () => ["/nonexistent.tgz"], "cannot read /nonexistent.tgz"],
  ["no archive", () => [SCRIPT], "is no npm package"],
  ["another package", () => [tarballOf({ name: "other", version: "1.0.0" })], "is not Sterna"],
  ["no version", () => [tarballOf({ name: "sterna", main: "x" })], "states no version"],
  ["a path as version", () => [sterna("../../etc")], "states no version"],
  ["the parent as version", () => [sterna("..")], "states no version"],
])("refuses, with nothing changed: %s", (_, args, why) => {
  const root = freshFolder();
  const { code, said } = install(root, ...args());
  expect(said).toContain(why);
  expect(code).toBe(1);
  expect(readdirSync(root)).toEqual([]);
});

test("installs, again, and upgrades; a config that is there stays", () => {
  const root = freshFolder();
  for (const version of ["7.0.0", "7.1.0"]) unpack(root, version);
  const current = join(root, "opt/sterna/current");

  expect(install(root, sterna("7.0.0"))).toMatchObject({ code: 0 });
  expect(readlinkSync(current)).toBe("7.0.0");
  expect(readFileSync(join(root, "etc/systemd/system/sterna.service"))).toEqual(
    readFileSync(join(ROOT, "systemd/sterna.service")),
  );
  expect(modeOf(join(root, CONFIG))).toBe("644");
  expect(modeOf(join(root, "etc/sterna/credentials"))).toBe("700");
  expect(modeOf(join(root, "usr/local/bin/sterna"))).toBe("755");

  const mine = `# mine\n${readFileSync(join(root, CONFIG), "utf8")}`;
  writeFileSync(join(root, CONFIG), mine);
  expect(install(root, sterna("7.0.0"))).toMatchObject({ code: 0 });
  const upgrade = install(root, sterna("7.1.0"));
  expect(upgrade.said).toContain("Sterna 7.1.0 is installed (before: 7.0.0).");
  expect(readlinkSync(current)).toBe("7.1.0");
  expect(readFileSync(join(root, CONFIG), "utf8")).toBe(mine);
  expect(existsSync(join(root, "opt/sterna/current.new"))).toBe(false);
});

test("a config that the new version refuses keeps the old one current", () => {
  const root = freshFolder();
  for (const version of ["7.0.0", "7.1.0"]) unpack(root, version);
  install(root, sterna("7.0.0"));
  const config = join(root, CONFIG);
  writeFileSync(config, readFileSync(config, "utf8").replace("16 A", "16 V"));
  const { code, said } = install(root, sterna("7.1.0"));
  expect(said).toMatch(
    /sterna\.yaml:\d+:\d+: .*\n.*\n.*\^\n.*version 7\.1\.0 refuses this config; 7\.0\.0/,
  );
  expect(code).toBe(1);
  expect(readlinkSync(join(root, "opt/sterna/current"))).toBe("7.0.0");
});

test("--devices adds a drop-in for each, the group and the udev rules", () => {
  const root = freshFolder();
  unpack(root, "7.0.0");
  const { code, said } = install(root, "--devices", "spidev usb", sterna("7.0.0"));
  expect(code, said).toBe(0);
  const etc = (file: string): string => readFileSync(join(root, "etc", file), "utf8");
  const own = (file: string): string => readFileSync(join(ROOT, "systemd/devices", file), "utf8");
  const dropIns = readdirSync(join(root, "etc/systemd/system/sterna.service.d"));
  expect(dropIns).toEqual(["accel-spidev.conf", "accel-usb.conf"]);
  expect(etc("systemd/system/sterna.service.d/accel-usb.conf")).toBe(own("usb.conf"));
  expect(etc("udev/rules.d/99-sterna-accel.rules")).toBe(own("sterna-accel.rules"));
  expect(etc("sysusers.d/sterna-accel.conf")).toBe(own("sysusers.conf"));
});

test("a device that has no drop-in is refused, with those that have", () => {
  const root = freshFolder();
  const { code, said } = install(root, "--devices", "gpu", sterna("7.0.0"));
  expect(said).toContain('no drop-in for "gpu"; write --devices with some of spidev, uio, apex');
  expect(code).toBe(1);
  expect(readdirSync(root)).toEqual([]);
});
