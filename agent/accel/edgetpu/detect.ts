//! Which Edge TPUs there are, by the files of the kernel alone: nothing is opened, so it may be
//! asked while the agent uses one. `root` is "/" but for tests.
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The stick before its firmware is loaded (Global Unichip), and after (Google). */
const STICKS = [
  { vendor: "1a6e", product: "089a", ready: false },
  { vendor: "18d1", product: "9302", ready: true },
] as const;
const USB = "sys/bus/usb/devices";
const APEX = "sys/class/apex";
const DEVICES_MAX = 64;

export type Found = {
  readonly kind: "pcie" | "usb";
  /** `/dev/apex_0`, or the stick's folder in sysfs: as libedgetpu names them. */
  readonly path: string;
  /** False for a stick whose firmware is loaded at its first use. */
  readonly ready: boolean;
  /** What this user lacks to use it; null when nothing. */
  readonly rights: string | null;
};

export function findEdgeTpus(root = "/"): Found[] {
  const boards = namesIn(join(root, "dev")).filter((name) => /^apex_\d+$/.test(name));
  const pcie = boards.map((name): Found => {
    const file = join(root, "dev", name);
    return { kind: "pcie", path: `/dev/${name}`, ready: true, rights: rightsTo(file) };
  });
  const usb = namesIn(join(root, USB)).flatMap((name): Found[] => {
    const folder = join(root, USB, name);
    const [vendor, product] = ["idVendor", "idProduct"].map((file) => textOf(join(folder, file)));
    const stick = STICKS.find((one) => one.vendor === vendor && one.product === product);
    if (stick === undefined) return [];
    const [bus, device] = ["busnum", "devnum"].map((file) => {
      return (textOf(join(folder, file)) ?? "").padStart(3, "0");
    }) as [string, string];
    const rights = rightsTo(join(root, "dev/bus/usb", bus, device));
    return [{ kind: "usb", path: `/${USB}/${name}`, ready: stick.ready, rights }];
  });
  return [...pcie, ...usb].slice(0, DEVICES_MAX);
}

/**
 * Temperature and throttling of a board, as the apex driver shows them: degrees Celsius in
 * thousandths; above its trip points it halves its clock, again and again. Null where unreadable.
 */
export function heatOf({ kind, path }: Found, root = "/"): string | null {
  if (kind !== "pcie") return null;
  const folder = join(root, APEX, path.slice("/dev/".length));
  const temperature_mC = numberIn(join(folder, "temp"));
  if (temperature_mC === null) return null;
  const text = `${(temperature_mC / 1000).toFixed(1)} Cel`;
  const trips_mC = [0, 1, 2].map((i) => numberIn(join(folder, `trip_point${i}_temp`)));
  const step = trips_mC.filter((trip) => trip !== null && temperature_mC >= trip).length;
  return step === 0 ? text : `${text}, throttled to 1/${2 ** step} of its clock`;
}

/** What `sterna devices` says of those found, or why there is none. */
export function describe(found: readonly Found[], root = "/"): string {
  return found
    .map((device) => {
      const { path, ready, rights } = device;
      const heat = heatOf(device, root);
      const firmware = ready ? "" : " (its firmware is loaded at first use)";
      return [`${path}${firmware}`, heat, rights].filter((text) => text !== null).join(", ");
    })
    .join("; ");
}

function rightsTo(file: string): string | null {
  if (!existsSync(file)) return `${file} is hidden; in the service its drop-in must be installed`;
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return null;
  } catch {
    return `no right to read and write ${file}; add this user to the group of its udev rule`;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return null;
  }
}

function numberIn(file: string): number | null {
  const text = textOf(file);
  return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
}
