//! What `sterna devices` says to a user who lacks the rights to a device, as that very user: root
//! may read what nobody else may, so the command is run as another one.
import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { packageFile } from "../../agent/base/files.js";

const NOBODY = 65_534;
/** A group that has a name everywhere. */
const TTY = { gid: 5, name: "tty" };
const root = process.getuid?.() === 0;
if (!root) console.warn("skipped: rights to devices: needs root, to run a command as another user");

const folder = mkdtempSync(join(tmpdir(), "sterna-rights-"));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs node as nobody, with or without the group of the devices. */
function asNobody(member: boolean, ...args: string[]): string {
  const gid = member ? TTY.gid : NOBODY;
  const done = spawnSync(process.execPath, args, { uid: NOBODY, gid, encoding: "utf8" });
  expect(done.stderr).toBe("");
  return done.stdout;
}

function device(name: string): string {
  const file = join(folder, name);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, "");
  chownSync(file, 0, TTY.gid);
  chmodSync(file, 0o660);
  return file;
}

test.skipIf(!root)("an FPGA that this user may not open: who may, and what to do", () => {
  const file = device("spidev0.0");
  const module = packageFile("dist/agent/accel/fpga/fpga.js");
  const script = `const { FPGA_DEFAULT, probeFpga } = await import("${module}");
    console.log(probeFpga({ ...FPGA_DEFAULT, device: "${file}" }));`;
  const args = ["--input-type=module", "-e", script];
  expect(asNobody(false, ...args).trim()).toBe(
    `${file}: no right to read and write it (EACCES); the group ${TTY.name} may; ` +
      "add this user to it (docs/fpga.md)",
  );
  expect(asNobody(true, ...args).trim()).toBe("null");
});

test.skipIf(!root)("an Edge TPU that this user may not open, on PCIe and on USB", () => {
  const machine = join(folder, "machine");
  device("machine/dev/apex_0");
  device("machine/dev/bus/usb/002/007");
  const facts = { idVendor: "1a6e", idProduct: "089a", busnum: "2", devnum: "7" };
  const usb = join(machine, "sys/bus/usb/devices/1-1");
  mkdirSync(usb, { recursive: true });
  for (const [name, text] of Object.entries(facts)) writeFileSync(join(usb, name), text);
  const module = packageFile("dist/agent/accel/edgetpu/detect.js");
  const script = `const { describe, findEdgeTpus } = await import("${module}");
    console.log(describe(findEdgeTpus("${machine}"), "${machine}"));`;
  const args = ["--input-type=module", "-e", script];
  const lacking = (file: string): string =>
    `no right to read and write ${machine}${file}; add this user to the group of its udev rule`;
  const stick = "/sys/bus/usb/devices/1-1 (its firmware is loaded at first use)";
  expect(asNobody(false, ...args).trim()).toBe(
    `/dev/apex_0, ${lacking("/dev/apex_0")}; ${stick}, ${lacking("/dev/bus/usb/002/007")}`,
  );
  expect(asNobody(true, ...args).trim()).toBe(`/dev/apex_0; ${stick}`);
});
