//! `models:` binds a user's own ONNX file to channels. The file itself is read elsewhere.
import type { Unit } from "../agent/units/parse.js";
import type { AssetConfig, ModelConfig, ModelInput, ModelOutput, Path } from "./config.js";
import { noun } from "./formats.js";
import { isMapping, type Mapping, readItem, suggest } from "./rows.js";
import { INPUTS, MODEL, MODEL_INPUT, MODEL_OUTPUT, OUTPUTS } from "./schema.js";
import { fromConfig } from "./secrets.js";
import { level } from "./texts.js";
import type { Reading } from "./yaml.js";

export function readModels(
  map: unknown,
  reading: Reading,
  assets: readonly AssetConfig[],
): readonly ModelConfig[] {
  if (map === undefined || map === null) return [];
  if (!isMapping(map)) {
    reading.fault(["models"], "models is a mapping", "write { name: { file: ... } }");
    return [];
  }
  /** `asset/channel` -> the model that writes it. */
  const writers = new Map<string, string>();
  return Object.entries(map).flatMap(([name, raw]): ModelConfig[] => {
    const path: Path = ["models", name];
    level.read(name, (what, instead) => reading.faultAtKey(path, what, instead));
    const item = readItem(MODEL, raw, path, reading, "a model");
    if (item === null) return [];
    const asset = assets.find((a) => a.id === item.asset);
    if (asset === undefined && assets.length > 0) {
      const ids = assets.map((a) => a.id);
      const what = `there is no asset ${JSON.stringify(item.asset)}`;
      reading.fault([...path, "asset"], what, suggest(item.asset, ids, ""));
    }
    return [
      {
        name,
        file: fromConfig(reading.file, item.file),
        asset: item.asset,
        in: readInputs(item.in, [...path, "in"], reading, asset),
        out: readOutputs(item.out, [...path, "out"], reading, asset, (channel, at) => {
          const key = `${item.asset}/${channel}`;
          const other = writers.get(key);
          if (other === undefined) writers.set(key, name);
          else reading.fault(at, `${channel} is written by ${other} too`, "name another channel");
        }),
        path,
      },
    ];
  });
}

function readInputs(
  map: unknown,
  path: Path,
  reading: Reading,
  asset: AssetConfig | undefined,
): readonly ModelInput[] {
  return tensorsOf(map, path, reading, INPUTS).flatMap(([tensor, raw]): ModelInput[] => {
    const at = [...path, tensor];
    const item = readItem(MODEL_INPUT, raw, at, reading, "an input");
    if (item === null) return [];
    const channels = item.channels ?? (item.channel === null ? [] : [item.channel]);
    if ((item.channels === null) === (item.channel === null)) {
      const what = item.channel === null ? "the input has no channel" : "channel and channels both";
      reading.fault(at, what, "write channel: NAME, or channels: [NAME, NAME]");
    }
    const key = item.channels === null ? "channel" : "channels";
    channels.forEach((channel, i) => {
      const place = key === "channel" ? [...at, key] : [...at, key, i];
      const known = asset?.channels.find((c) => c.name === channel);
      if (item.bands && known?.shape === "scalar") {
        const what = `${channel} is scalar: bands are of blocks`;
        reading.fault(place, what, "delete bands, or name a channel with shape: block");
      }
      // The ports of other kinds, outputs of monitors among them, are known to agent.ts.
      if (known === undefined && asset?.kind === "generic") {
        const names = asset.channels.map((c) => c.name);
        const what = `there is no channel ${JSON.stringify(channel)} in ${asset.id}`;
        reading.fault(place, what, suggest(channel, names, ""));
      }
    });
    const known = channels.map((channel) => asset?.channels.find((c) => c.name === channel)?.unit);
    checkUnits(channels, known, item.unit, [...at, "unit"], reading);
    const { window, bands } = item;
    if (bands && window !== 1) {
      reading.fault([...at, "window"], "bands are of whole blocks", "delete window");
    }
    const [unit] = item.unit;
    if (unit === undefined) return [];
    const one = item.unit.length === 1;
    const units = channels.map((_, i) => (one ? unit : (item.unit[i] ?? unit)));
    return [{ tensor, channels, window, bands, units }];
  });
}

/** `known`: the units of the channels, where the config states them. One of `given` is for all. */
function checkUnits(
  channels: readonly string[],
  known: readonly (Unit | undefined)[],
  given: readonly Unit[],
  at: Path,
  reading: Reading,
): void {
  const each = `unit: [${known.map((unit) => inYaml(unit?.text ?? "UNIT")).join(", ")}]`;
  if (given.length !== 1 && given.length !== channels.length) {
    const what = `${given.length} units for ${channels.length} channel(s)`;
    reading.fault(at, what, channels.length === 1 ? "write one" : `write ${each}`);
    return;
  }
  const dims = known.flatMap((unit) => (unit === undefined ? [] : [unit.dim]));
  const mixed = new Set(dims).size > 1;
  for (const [i, unit] of known.entries()) {
    const own = given[given.length === 1 ? 0 : i];
    if (unit === undefined || own === undefined || unit.dim === own.dim) continue;
    const what = `${channels[i]} is ${noun(unit.dim)}, ${own.text} is ${noun(own.dim)}`;
    const alone = `write one such as ${unit.text}`;
    const place = given.length === 1 ? at : [...at, i];
    reading.fault(place, what, given.length === 1 && mixed ? `write ${each}` : alone);
    // The list says it of all of them.
    if (given.length === 1 && mixed) return;
  }
}

const inYaml = (text: string): string =>
  /^[A-Za-z%][\w./*^%-]*$/.test(text) ? text : JSON.stringify(text);

function readOutputs(
  map: unknown,
  path: Path,
  reading: Reading,
  asset: AssetConfig | undefined,
  claim: (channel: string, at: Path) => void,
): readonly ModelOutput[] {
  return tensorsOf(map, path, reading, OUTPUTS).flatMap(([tensor, raw]) => {
    const items: readonly unknown[] = Array.isArray(raw) ? raw : [raw];
    return items.flatMap((one, i): ModelOutput[] => {
      const at = Array.isArray(raw) ? [...path, tensor, i] : [...path, tensor];
      const item = readItem(MODEL_OUTPUT, one, at, reading, "an output");
      if (item === null) return [];
      const { channel, index, unit } = item;
      const known = asset?.channels.find((c) => c.name === channel);
      if (known !== undefined && known.binding.via !== "none") {
        const what = `${channel} has a source already: ${known.binding.via}`;
        reading.fault([...at, "channel"], what, "name a channel of its own");
      } else if (known !== undefined && known.unit.dim !== unit.dim) {
        const what = `${channel} is ${noun(known.unit.dim)}, ${unit.text} is ${noun(unit.dim)}`;
        reading.fault([...at, "unit"], what, `write one such as ${known.unit.text}`);
      }
      claim(channel, [...at, "channel"]);
      return [{ tensor, index, channel, unit }];
    });
  });
}

function tensorsOf(
  map: unknown,
  path: Path,
  reading: Reading,
  example: string,
): [string, unknown][] {
  if (isMapping(map) && Object.keys(map).length > 0) return Object.entries(map as Mapping);
  reading.fault(path, "this is a mapping of tensor names", `write ${example}`);
  return [];
}
