//! Formats of texts: ids, topics, paths, addresses. Each says what to write instead.
import { type Format, show } from "./formats.js";

const TEXT_CHARS_MAX = 1_024;

/** A text of one line that matches `pattern`. */
function matching(
  name: string,
  pattern: RegExp,
  example: string,
  what: string,
  instead = `write one such as ${example}`,
): Format<string> {
  return {
    name,
    example,
    read(value, refuse) {
      if (typeof value === "string" && value.length <= TEXT_CHARS_MAX && pattern.test(value)) {
        return value;
      }
      return refuse(`${show(value)} is ${what}`, instead);
    },
  };
}

/** Topic levels, asset ids and rule ids: nats-server and Sparkplug hosts refuse more. */
export const level = matching(
  "id",
  /^[A-Za-z0-9_-]{1,64}$/,
  "north-1",
  "no id",
  "write 1 to 64 of letters, digits, _ and -",
);

/** What a rule can name: a leading digit would read as a number. */
export const channelName = matching(
  "channel name",
  /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/,
  "current",
  "no channel name",
  "write a letter, then letters, digits, _ and -",
);

export const topicRoot = matching(
  "topic levels",
  /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/,
  "sterna/v1",
  "no topic root",
);

/** [MQTT-4.7.1]: `+` fills one level, `#` the last ones. */
export const topicFilter: Format<string> = {
  name: "topic filter",
  example: "plant/line3/current",
  read(value, refuse) {
    const levels = typeof value === "string" ? value.split("/") : [];
    const fits = levels.every((part, i) => {
      return part === "+" || (part === "#" && i === levels.length - 1) || !/[+#\0]/.test(part);
    });
    if (typeof value !== "string" || value === "" || value.length > TEXT_CHARS_MAX || !fits) {
      const instead = "write a topic; + is one whole level, # the last ones: plant/+/accel";
      return refuse(`${show(value)} is no topic filter`, instead);
    }
    if (levels[0] !== "$share") return value;
    // The broker would hand some samples of a channel to someone else.
    return refuse("a shared subscription splits the samples", "write the topic alone");
  },
};

/** The same paths as sensors/jsonpath.ts reads: one `[*]` at most. A test holds them together. */
const STEP = String.raw`(?:\.[^.[\]"'*\s]+|\[\d{1,9}\]|\["[^"]*"\]|\['[^']*'\])*`;
const PATH = new RegExp(String.raw`^\$${STEP}(?:\[\*\]${STEP})?$`);
export const jsonPath = matching("JSON path", PATH, "$.data[0].value", "no JSON path");

export const nodeId = matching(
  "node id",
  /^(ns=\d+;|nsu=[^;]+;)?(i=\d+|[sgb]=.+)$/,
  '"ns=2;s=WT07.Power"',
  "no OPC UA node id",
);

export const endpoint = matching(
  "endpoint",
  /^opc\.tcp:\/\/[^\s/]+/,
  '"opc.tcp://10.0.0.7:4840"',
  "no OPC UA endpoint",
);

const URL_EXAMPLE = '"mqtts://broker.local:8883"';
export const brokerUrl: Format<string> = {
  name: "broker URL",
  example: URL_EXAMPLE,
  read(value, refuse) {
    const instead = `write one such as ${URL_EXAMPLE}`;
    if (typeof value !== "string") return refuse(`${show(value)} is no broker URL`, instead);
    // What stands before an "@" may be a password: such a URL is never printed.
    if (value.includes("@")) {
      return refuse("the URL holds a user name or password", "write username: and passwordFile:");
    }
    const fits = /^(mqtts?|wss?):\/\/[^\s/]+/.test(value) && URL.canParse(value);
    return fits ? value : refuse(`${show(value)} is no broker URL`, instead);
  },
};

export const filePath = matching("file", /^[^\0]+$/, "FILE", "no file name");

export const fpgaDevice = matching(
  "FPGA device",
  /^(emulator|rtl|\/dev\/(spidev|uio)[\w.-]+)$/,
  "/dev/spidev0.0",
  "no device of an FPGA",
  "write emulator, rtl, /dev/spidevB.C or /dev/uioN",
);

/** A password ends up here by mistake, so the value is not shown. */
export const unshown = (of: Format<string>): Format<string> => ({
  ...of,
  read: (value, refuse) =>
    of.read(value, (_, instead, at) => refuse(`this is no ${of.name}`, instead, at)),
});

export const host = matching("host", /^[^\s/]+$/, "127.0.0.1", "no host");

export const text: Format<string> = {
  name: "text",
  example: "a text",
  read(value, refuse) {
    if (typeof value !== "string") return refuse(`${show(value)} is no text`, "put it in quotes");
    if (value.length <= TEXT_CHARS_MAX) return value;
    return refuse(`a text of ${value.length} characters`, `write at most ${TEXT_CHARS_MAX}`);
  },
};

const CONDITION = '"current > 16 A"';
/** Rule texts are compiled later, against the signals of their asset. */
export const condition: Format<string> = {
  name: "condition",
  example: CONDITION,
  read(value, refuse) {
    if (typeof value === "string" && value.trim() !== "") return value;
    return refuse(`${show(value)} is no condition`, `write one such as ${CONDITION}`);
  },
};
